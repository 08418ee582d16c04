"""The stores as whoever asks may see them: with that person's own credentials, never through a function.

Listing takes wider permissions than rotating (AWS lists an account or nothing), and the functions have none of them.
On `local` the sandbox's administrators are asked. Elsewhere: AWS's default chain, VAULT_TOKEN or the token that
`vault login` keeps, Google's application default credentials. Not here: the listings themselves.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyturn.stack import Stack, load, texts
from rotation.calls import Caller, Meter, NullBreaker
from rotation.errors import Denied, KeyturnError

if TYPE_CHECKING:
    from keyturn.discover_found import Listing

# Where Vault's own tools keep what a login gave, and the variable that goes before it.
_VARIABLE, _KEPT = "VAULT_TOKEN", ".vault-token"


def listings(stack_name: str) -> Mapping[str, Callable[[], Listing]]:
    """How each store is opened; nothing is asked of a store before. Refused `unknown_stack`, `sandbox_not_up`."""
    stack, configured = load(stack_name), texts(stack_name)
    return {
        "aws": lambda: _aws(stack),
        "vault": lambda: _vault(stack, configured, os.environ),
        "gcp": lambda: _gcp(stack, configured),
    }


def _caller(provider: str, translate: Callable[[Exception], KeyturnError | None]) -> Caller:
    return Caller(provider, translate=translate, meter=Meter(), breaker=NullBreaker(), sleep=time.sleep)


def _aws(stack: Stack) -> Listing:
    from botocore.exceptions import NoCredentialsError  # noqa: PLC0415  # SDKs are slow to import

    from keyturn.cloud import client  # noqa: PLC0415
    from keyturn.discover_aws import AwsListing  # noqa: PLC0415
    from rotation import aws_client  # noqa: PLC0415

    def translate(exc: Exception) -> KeyturnError | None:
        if isinstance(exc, NoCredentialsError):
            return Denied("no_credentials", "no AWS credentials were found", "sign in with the AWS tools")
        return aws_client.translate(exc)

    return AwsListing(client(stack, "secretsmanager", attempts=1), _caller("secretsmanager", translate))


def _vault(stack: Stack, configured: Mapping[str, str], environment: Mapping[str, str]) -> Listing:
    from keyturn.discover_vault import VaultListing  # noqa: PLC0415
    from rotation.stores import vault_client  # noqa: PLC0415

    namespace, ca_file = environment.get("VAULT_NAMESPACE") or None, environment.get("VAULT_CACERT")
    if stack.local:
        facts, credentials = _sandbox()
        made = vault_client.client(facts.vault_address)
        made.token = credentials.vault_root_token
    else:
        made = vault_client.client(configured["vaultAddress"], namespace=namespace, verify=ca_file or True)
        made.token = _token(environment)
    return VaultListing(made, _caller("vault", vault_client.translate))


def _token(environment: Mapping[str, str]) -> str:
    kept = Path.home() / _KEPT
    token = environment.get(_VARIABLE) or (kept.read_text(encoding="utf-8").strip() if kept.is_file() else "")
    if not token:
        raise Denied("no_credentials", "no token for Vault was found", f"`vault login`, or set {_VARIABLE}")
    return token


def _gcp(stack: Stack, configured: Mapping[str, str]) -> Listing:
    from keyturn.discover_gcp import GcpListing  # noqa: PLC0415
    from rotation.stores import gcp_client  # noqa: PLC0415

    caller = _caller("gcp", gcp_client.translate)
    if stack.local:
        facts, _ = _sandbox()
        return GcpListing(gcp_client.plaintext_client(facts.google_endpoint), facts.google_project, caller)
    try:
        client = _of_the_person()
    except Exception as exc:
        ours = gcp_client.translate(exc)
        if ours is None:
            raise
        remedy = "`gcloud auth application-default login`"
        raise Denied("no_credentials", "no credentials for Google were found", remedy) from exc
    return GcpListing(client, configured["googleProject"], caller)


def _of_the_person() -> Any:
    from google.cloud.secretmanager_v1 import SecretManagerServiceClient  # noqa: PLC0415

    return SecretManagerServiceClient()


def _sandbox() -> tuple[Any, Any]:
    from sandbox.facts import Credentials, Facts  # noqa: PLC0415
    from sandbox.layout import Layout  # noqa: PLC0415

    layout = Layout.from_env()
    return Facts.load(layout.facts), Credentials.load(layout.credentials)
