"""Builds the Vault adapter from a function's environment; nothing else of it reads variables.

VAULT_ADDR, KEYTURN_VAULT_ROLE, KEYTURN_VAULT_JWT_KEY, KEYTURN_VAULT_AUDIENCE are required; VAULT_NAMESPACE and
VAULT_CACERT are optional and mean what they mean to Vault's own tools.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from rotation import aws_client
from rotation.calls import Breaker, Caller, Meter
from rotation.errors import Refused
from rotation.stores import vault_client
from rotation.stores.vault import VaultStore
from rotation.stores.vault_auth import JwtRole, KmsJwtLogin, VaultSession


def from_env(environment: Mapping[str, str], meter: Meter, breaker: Breaker) -> VaultStore:
    """A store ready to use; it logs in at its first call. Refused `configuration` names a missing variable."""
    caller = Caller("vault", translate=vault_client.translate, meter=meter, breaker=breaker, sleep=time.sleep)
    kms_caller = Caller("kms", translate=aws_client.translate, meter=meter, breaker=breaker, sleep=time.sleep)
    role = JwtRole(
        name=_needed(environment, "KEYTURN_VAULT_ROLE"),
        audience=_needed(environment, "KEYTURN_VAULT_AUDIENCE"),
        key_id=_needed(environment, "KEYTURN_VAULT_JWT_KEY"),
    )
    client = vault_client.client(
        _needed(environment, "VAULT_ADDR"),
        namespace=environment.get("VAULT_NAMESPACE"),
        verify=environment.get("VAULT_CACERT") or True,
    )
    login = KmsJwtLogin(aws_client.client("kms"), kms_caller, role, clock=time.time)
    return VaultStore(VaultSession(client, caller, login, clock=time.time))


def _needed(environment: Mapping[str, str], name: str) -> str:
    if not environment.get(name):
        raise Refused("configuration", f"the variable {name} is not set", "deploy the function from the program")
    return environment[name]
