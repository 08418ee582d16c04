"""Everything that a verb could change on a deployed stack, as its stores, ledger and targets show it from outside.

Ids, states, times and digests, never a value. Not here: when a secret was read last, which a read changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import hvac
from runs_stack import BUCKET, LEDGER, Stack
from runs_stores import MOUNT

from sandbox.google.remote import plaintext_client
from sandbox.parts.postgres_roles import connect
from sandbox.wire import ask, bearer


def everything(stack: Stack) -> dict[str, Any]:
    """By place; equal when nothing was changed."""
    return {
        "ledger": _ledger(stack),
        "catalogue": _catalogue(stack),
        "aws": _aws(stack),
        "vault": _vault(stack),
        "google": _google(stack),
        "postgres": _postgres(stack),
        "token service": _places(stack.facts.token_service_url, "/accounts/keyturn/slots", _token(stack)),
        "verifier": _places(stack.facts.verifier_url, "/keys", stack.credentials.verifier_authority),
    }


def _token(stack: Stack) -> str:
    return stack.credentials.token_service_authority


def _ledger(stack: Stack) -> list[str]:
    pages = stack.aws("dynamodb").get_paginator("scan").paginate(TableName=LEDGER, ConsistentRead=True)
    return sorted(json.dumps(item, sort_keys=True) for page in pages for item in page["Items"])


def _catalogue(stack: Stack) -> list[tuple[str, str]]:
    found = stack.aws("s3").list_object_versions(Bucket=BUCKET)["Versions"]
    return sorted((one["Key"], one["VersionId"]) for one in found)


def _aws(stack: Stack) -> list[Any]:
    client = stack.aws("secretsmanager")
    names = [one["Name"] for page in client.get_paginator("list_secrets").paginate() for one in page["SecretList"]]
    told = (client.describe_secret(SecretId=name) for name in sorted(names))
    return [(one["Name"], one.get("VersionIdsToStages"), one.get("LastChangedDate")) for one in told]


def _vault(stack: Stack) -> list[Any]:
    client = hvac.Client(url=stack.facts.vault_address, token=stack.credentials.vault_root_token)
    with closing(client.adapter):
        return [(path, client.read(f"{MOUNT}/metadata/{path}")["data"]) for path in _paths(client, "")]


def _paths(client: Any, folder: str) -> Iterator[str]:
    for key in client.list(f"{MOUNT}/metadata/{folder}")["data"]["keys"]:
        if key.endswith("/"):
            yield from _paths(client, folder + key)
        else:
            yield folder + key


def _google(stack: Stack) -> list[Any]:
    client: Any = plaintext_client(stack.facts.google_endpoint)
    with closing(client.transport):
        secrets = list(client.list_secrets(parent=f"projects/{stack.facts.google_project}", retry=None))
        versions = {one.name: list(client.list_secret_versions(parent=one.name, retry=None)) for one in secrets}
    return [(one.name, one.etag, [(v.name, v.state, v.etag) for v in versions[one.name]]) for one in secrets]


def _postgres(stack: Stack) -> list[Any]:
    """Who may log in, and the fence; of each row the transaction that wrote it last. Passwords are a superuser's."""
    credentials, facts = stack.credentials, stack.facts
    with closing(
        connect(facts.postgres_port, credentials.postgres_admin_user, credentials.postgres_admin_password)
    ) as session:
        roles = session.run("SELECT rolname, rolcanlogin, rolvaliduntil FROM pg_roles ORDER BY rolname")
        fence = session.run("SELECT role, generation, run_id, effect, xmin::text FROM keyturn.generation ORDER BY role")
        return [roles, fence]


def _places(url: str, path: str, authority: str) -> Any:
    status, answer = ask(urlsplit(url).port or 0, "GET", path, headers=bearer(authority))
    assert status == 200
    return answer
