"""Puts the credentials that Keyturn itself needs at the targets into the stores, at run time.

In a real account the bootstrap guide does this by hand, once. The shells are the program's; a value that is there
already is left alone, so that a second start changes nothing.
"""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import hvac
from botocore.exceptions import ClientError
from google.api_core.exceptions import FailedPrecondition, InvalidArgument, NotFound
from google.cloud import secretmanager_v1
from hvac.exceptions import InvalidPath

from sandbox.aws_client import administrator
from sandbox.facts import Credentials, Facts
from sandbox.google.remote import plaintext_client

AWS_SECRET = "keyturn/authority/payments-postgres"  # noqa: S105 - a name
VAULT_MOUNT, VAULT_PATH, VAULT_WEBHOOKS = "keyturn", "authority/token-service", "authority/webhooks"
# readers of Google secrets go by this alias, the functions too
GOOGLE_ALIAS = "current"
GOOGLE_SECRET = "keyturn-authority-verifier"  # noqa: S105 - a name


def put_authorities(facts: Facts, credentials: Credentials) -> None:
    """Put one per target; the stores' own exceptions pass, since each names what is missing in the sandbox."""
    login = {"username": credentials.postgres_admin_user, "password": credentials.postgres_admin_password}
    put_aws(facts, AWS_SECRET, login)
    put_vault(facts, credentials, VAULT_PATH, {"token": credentials.token_service_authority})
    put_vault(facts, credentials, VAULT_WEBHOOKS, {"token": credentials.webhooks_authority})
    put_google(facts, GOOGLE_SECRET, {"token": credentials.verifier_authority})


def put_aws(facts: Facts, secret: str, value: dict[str, str]) -> None:
    """Into a shell of Secrets Manager, if it is empty."""
    with closing(administrator(facts, "secretsmanager")) as client:
        try:
            client.get_secret_value(SecretId=secret)
        except ClientError as exc:
            if exc.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            client.put_secret_value(SecretId=secret, SecretString=json.dumps(value))


def put_vault(facts: Facts, credentials: Credentials, path: str, value: dict[str, str]) -> None:
    """At a path of the engine, if nothing is there."""
    client = hvac.Client(url=facts.vault_address, token=credentials.vault_root_token)
    kv = client.secrets.kv.v2
    try:
        kv.read_secret_version(path, mount_point=VAULT_MOUNT, raise_on_deleted_version=True)
    except InvalidPath:
        kv.create_or_update_secret(path, secret=value, cas=0, mount_point=VAULT_MOUNT)


def put_google(facts: Facts, secret_id: str, value: dict[str, str]) -> None:
    """Into a shell of Google's, with the alias that readers go by, if it has none."""
    client: Any = plaintext_client(facts.google_endpoint)
    name = f"projects/{facts.google_project}/secrets/{secret_id}"
    try:
        client.access_secret_version(name=f"{name}/versions/{GOOGLE_ALIAS}", retry=None)
    except (NotFound, FailedPrecondition, InvalidArgument):
        payload = secretmanager_v1.SecretPayload(data=json.dumps(value).encode())
        added = client.add_secret_version(parent=name, payload=payload, retry=None)
        number = int(added.name.rsplit("/", 1)[1])
        secret = secretmanager_v1.Secret(name=name, version_aliases={GOOGLE_ALIAS: number})
        client.update_secret(secret=secret, update_mask={"paths": ["version_aliases"]}, retry=None)
