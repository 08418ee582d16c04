"""A KV v2 mount of a real OpenBao for the store contract, and what somebody else does to it."""

from __future__ import annotations

import itertools
from typing import Any

from hvac.exceptions import InvalidPath
from store_bench import FaultyCaller

from rotation.calls import Caller
from rotation.contract import SecretRef
from rotation.stores import vault_client
from rotation.stores.vault import VaultStore
from rotation.stores.vault_auth import Lease, VaultSession
from rotation.value import SecretValue

MOUNT = "keyturn"
_numbers = itertools.count(1)


class GivenToken:
    """A login that has its token already."""

    def __init__(self, token: str) -> None:
        self._token = token

    def login(self, client: Any, caller: Caller) -> Lease:
        """No call."""
        return Lease(token=self._token, lasts_s=3600)


class VaultBench:
    """One mount; `kv` is somebody else's client, with every right."""

    absent = SecretRef(store="vault", path="not-mounted/partners/api-token")

    def __init__(self, address: str, token: str) -> None:
        self.address = address
        self.token = token
        self.caller = FaultyCaller("vault", vault_client.translate)
        self.admin = vault_client.client(address)
        self.admin.token = token
        self.kv = self.admin.secrets.kv.v2

    def store(self, token: str = "") -> VaultStore:
        login = GivenToken(token or self.token)
        client = vault_client.client(self.address)
        return VaultStore(VaultSession(client, self.caller, login, clock=lambda: 0.0))

    def new_secret(self) -> SecretRef:
        return SecretRef(store="vault", path=f"{MOUNT}/partners/{next(_numbers)}")

    def somebody_writes(self, ref: SecretRef, value: SecretValue) -> None:
        cas = self.current_version(_below(ref))
        self.kv.create_or_update_secret(_below(ref), secret=value.unsafe_fields(), cas=cas, mount_point=MOUNT)

    def readers_get(self, ref: SecretRef) -> SecretValue | None:
        data = self.data(_below(ref))
        return SecretValue.of(data) if data is not None else None

    def versions_made(self, ref: SecretRef) -> int:
        return self.current_version(_below(ref)) + self.current_version(f"pending/{_below(ref)}")

    def data(self, path: str) -> dict[str, Any] | None:
        """What lies at a path below the mount, None when it is absent, deleted or destroyed."""
        try:
            answer = self.kv.read_secret_version(path, mount_point=MOUNT, raise_on_deleted_version=True)
        except InvalidPath:
            return None
        data: dict[str, Any] = answer["data"]["data"]
        return data

    def current_version(self, path: str) -> int:
        """The path's version, 0 when nothing was ever written."""
        try:
            return int(self.kv.read_secret_metadata(path, mount_point=MOUNT)["data"]["current_version"])
        except InvalidPath:
            return 0


def _below(ref: SecretRef) -> str:
    return ref.path.removeprefix(f"{MOUNT}/")
