"""KV version 2 in memory behind hvac's method names: check-and-set, soft deletion, destruction, dropped versions.

Source: KV v2 API documentation of Vault and OpenBao, and what OpenBao 2.7 answers. `cas_required` is on, as the program
declares the mount. What it pretends: every token has every right, a login always succeeds, nothing is throttled or
sealed, and `max_versions` is the mount's alone. Not here: custom metadata, PATCH, `delete_version_after`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from hvac.exceptions import InvalidPath, InvalidRequest

from rotation.calls import Caller, Kind
from rotation.stores.vault_auth import Lease

# What the engine keeps where nothing else is configured.
MAX_VERSIONS = 10
# Long enough that no walk of a test meets the end of a lease.
LEASE_S = 3_600.0
# RFC 3339, as a version that is not deleted has none
_DELETED_AT = "2026-01-01T00:00:00Z"


@dataclass
class KvVersion:
    """One version: `data` is None once it is destroyed."""

    data: dict[str, Any] | None = field(repr=False)
    deleted: bool = False

    def metadata(self, number: int) -> dict[str, Any]:
        """As an answer shows it."""
        deleted_at = _DELETED_AT if self.deleted else ""
        return {"version": number, "destroyed": self.data is None, "deletion_time": deleted_at}


@dataclass
class KvPath:
    """One path: what is kept of its versions, and the number of the newest."""

    current: int = 0
    versions: dict[int, KvVersion] = field(default_factory=dict)


class KvEngine:
    """Mounts of KV v2; its methods are those of `hvac.Client.secrets.kv.v2` that the store and its tests call."""

    def __init__(self, *mounts: str, max_versions: int = MAX_VERSIONS) -> None:
        self.paths: dict[str, dict[str, KvPath]] = {mount: {} for mount in mounts}
        self._max_versions = max_versions

    def read_secret_version(
        self, path: str, version: int | None = None, *, mount_point: str, raise_on_deleted_version: bool = True
    ) -> dict[str, Any]:
        """404 with metadata for a deleted or destroyed version, 404 with nothing for one that is not kept."""
        if not raise_on_deleted_version:
            raise NotImplementedError("the store asks for the error")
        found = self._mount(mount_point).get(path)
        number = version or (found.current if found else 0)
        kept = found.versions.get(number) if found else None
        if kept is None:
            raise InvalidPath(errors=[])
        if kept.deleted or kept.data is None:
            raise InvalidPath(errors=[], json={"data": {"data": None, "metadata": kept.metadata(number)}})
        return {"data": {"data": copy.deepcopy(kept.data), "metadata": kept.metadata(number)}}

    def create_or_update_secret(
        self, path: str, *, secret: Mapping[str, Any], mount_point: str, cas: int | None = None
    ) -> dict[str, Any]:
        """A new version if `cas` is the path's version, a deleted one included; what is above the limit is dropped."""
        found = self._mount(mount_point).get(path, KvPath())
        if cas is None:
            raise InvalidRequest(errors=["check-and-set parameter required for this call"])
        if cas != found.current:
            raise InvalidRequest(errors=["check-and-set parameter did not match the current version"])
        found.current += 1
        found.versions[found.current] = KvVersion(copy.deepcopy(dict(secret)))
        found.versions.pop(found.current - self._max_versions, None)
        self._mount(mount_point)[path] = found
        return {"data": found.versions[found.current].metadata(found.current)}

    def destroy_secret_versions(self, path: str, *, versions: Sequence[int], mount_point: str) -> None:
        """For good; a version that is not kept is success."""
        for version in self._kept(path, versions, mount_point):
            version.data = None

    def delete_secret_versions(self, path: str, *, versions: Sequence[int], mount_point: str) -> None:
        """Softly."""
        for version in self._kept(path, versions, mount_point):
            version.deleted = True

    def undelete_secret_versions(self, path: str, *, versions: Sequence[int], mount_point: str) -> None:
        """Undo the soft deletion."""
        for version in self._kept(path, versions, mount_point):
            version.deleted = False

    def delete_latest_version_of_secret(self, path: str, *, mount_point: str) -> None:
        """Softly, the newest."""
        self.delete_secret_versions(path, versions=[self._mount(mount_point)[path].current], mount_point=mount_point)

    def read_secret_metadata(self, path: str, *, mount_point: str) -> dict[str, Any]:
        """Current and oldest version; 404 with nothing for a path that was never written."""
        found = self._mount(mount_point).get(path)
        if found is None:
            raise InvalidPath(errors=[])
        shown = {str(n): version.metadata(n) for n, version in found.versions.items()}
        # the engine counts the oldest only once one has been dropped
        oldest = min(found.versions, default=0) if found.current > self._max_versions else 0
        return {"data": {"current_version": found.current, "oldest_version": oldest, "versions": shown}}

    def delete_metadata_and_all_versions(self, path: str, *, mount_point: str) -> None:
        """Everything, the counter included: the next write starts at 1."""
        self._mount(mount_point).pop(path, None)

    def _mount(self, mount: str) -> dict[str, KvPath]:
        if mount not in self.paths:
            raise InvalidPath(errors=[f"no handler for route {mount!r}. route entry not found."])
        return self.paths[mount]

    def _kept(self, path: str, versions: Sequence[int], mount: str) -> list[KvVersion]:
        found = self._mount(mount).get(path, KvPath())
        return [found.versions[n] for n in versions if n in found.versions]


def client(kv: Any, auth: Any = None) -> Any:
    """What a `VaultSession` takes for an hvac client; `kv` is a `KvEngine` or something around it."""
    return SimpleNamespace(
        token="", secrets=SimpleNamespace(kv=SimpleNamespace(v2=kv)), auth=SimpleNamespace(jwt=auth or JwtBackend())
    )


class JwtBackend:
    """Gives a token to everybody."""

    def jwt_login(self, **asked: str) -> dict[str, Any]:
        """One call."""
        del asked
        return {"auth": {"client_token": "model", "lease_duration": LEASE_S}}


class ModelLogin:
    """A login that costs one call, as the real one does beside the signature."""

    def login(self, client: Any, caller: Caller) -> Lease:
        """Exchange an assertion that nobody checks."""
        answer = caller.call(Kind.LOGIN, lambda: client.auth.jwt.jwt_login(role="model", jwt="", path="jwt"))
        return Lease(token=answer["auth"]["client_token"], lasts_s=float(answer["auth"]["lease_duration"]))
