"""Builds the Vault adapter from a function's environment; nothing else of it reads variables.

VAULT_ADDR, KEYTURN_VAULT_ROLE, KEYTURN_VAULT_JWT_KEY, KEYTURN_VAULT_AUDIENCE are required; VAULT_NAMESPACE and
VAULT_CACERT are optional and mean what they mean to Vault's own tools.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from rotation import aws_client
from rotation.calls import Breaker, Caller, Meter
from rotation.environment import caller, needed
from rotation.stores import vault_client
from rotation.stores.vault import VaultStore
from rotation.stores.vault_auth import HeldToken, JwtRole, KmsJwtLogin, VaultSession


def from_env(environment: Mapping[str, str], meter: Meter, breaker: Breaker) -> VaultStore:
    """A store ready to use; client and token are kept for the life of the process, so a warm function logs in once.

    Refused `configuration` names a missing variable.
    """
    vault_caller = Caller("vault", translate=vault_client.translate, meter=meter, breaker=breaker, sleep=time.sleep)
    role = JwtRole(
        name=needed(environment, "KEYTURN_VAULT_ROLE"),
        audience=needed(environment, "KEYTURN_VAULT_AUDIENCE"),
        key_id=needed(environment, "KEYTURN_VAULT_JWT_KEY"),
    )
    address = needed(environment, "VAULT_ADDR")
    client, held = _warm(address, environment.get("VAULT_NAMESPACE"), environment.get("VAULT_CACERT") or True, role)
    login = KmsJwtLogin(_kms(), caller("kms", meter, breaker), role, clock=time.time)
    return VaultStore(VaultSession(client, vault_caller, login, clock=time.time, held=held))


@cache
def _warm(address: str, namespace: str | None, verify: bool | str, role: JwtRole) -> tuple[Any, HeldToken]:
    # the role is part of the key: a token of one role must not serve another
    del role
    return vault_client.client(address, namespace=namespace, verify=verify), HeldToken()


@cache
def _kms() -> Any:
    return aws_client.client("kms")
