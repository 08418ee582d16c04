"""KV v2 on the wire: read, write with check-and-set, destroy, metadata; a 404 that carries metadata is an answer.

Source: KV v2 API documentation of Vault and OpenBao. A deleted or destroyed version answers 404 with its metadata, a
version that was never written, or that `max_versions` has dropped, answers 404 with nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rotation.calls import Kind
from rotation.errors import Refused
from rotation.stores.vault_auth import VaultSession


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One version of a path. `data` is None when it is deleted or destroyed."""

    version: int
    data: dict[str, Any] | None = field(repr=False)
    destroyed: bool = False


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What is kept of a path: its current version (0: none yet) and the oldest one still there.

    lost: nothing is current, or it was destroyed. deletion: when the current one is, or will be, deleted; "" for never.
    """

    current: int
    oldest: int
    lost: bool = False
    deletion: str = ""


class Kv:
    """KV v2 calls on paths written `mount/path`; the mount is the first segment."""

    def __init__(self, session: VaultSession) -> None:
        self._session = session

    def read(self, path: str, version: int | None = None) -> Entry | None:
        """The newest version, or that one; None when it was never written or has been dropped. One read."""
        mount, rest = split(path)
        return self._session.call(Kind.READ, lambda client: _read(client, mount, rest, version))

    def write(self, path: str, data: Mapping[str, Any], cas: int) -> int:
        """The new version's number. Conflict when the path's version is not `cas` (0: nothing there). One write.

        Safe to repeat: the second of two equal writes meets a version that is no longer `cas`.
        """
        mount, rest = split(path)
        answer = self._session.call(
            Kind.WRITE,
            lambda client: client.secrets.kv.v2.create_or_update_secret(
                rest, secret=dict(data), cas=cas, mount_point=mount
            ),
        )
        return int(answer["data"]["version"])

    def destroy(self, path: str, version: int) -> None:
        """Destroy one version for good and keep the path's metadata, so that check-and-set goes on. One write."""
        mount, rest = split(path)
        self._session.call(
            Kind.WRITE,
            lambda client: client.secrets.kv.v2.destroy_secret_versions(rest, versions=[version], mount_point=mount),
        )

    def metadata(self, path: str) -> Metadata | None:
        """Which versions are kept; None when the path was never declared nor written. One read, for recovery."""
        mount, rest = split(path)
        return self._session.call(Kind.READ, lambda client: _metadata(client, mount, rest))


def split(path: str) -> tuple[str, str]:
    """Mount and the rest. Refused `vault_path` when there is no mount."""
    mount, _, rest = path.strip("/").partition("/")
    if not mount or not rest:
        raise Refused("vault_path", f"{path!r} is not a path of KV v2", "write it as mount/path, without data/")
    return mount, rest


def _not_found() -> Any:
    # imported on first use: the program asks the adapter's class for its abilities without an SDK
    from hvac.exceptions import InvalidPath  # noqa: PLC0415

    return InvalidPath


def _read(client: Any, mount: str, path: str, version: int | None) -> Entry | None:
    try:
        answer = client.secrets.kv.v2.read_secret_version(
            path, version=version, mount_point=mount, raise_on_deleted_version=True
        )
    except _not_found() as exc:
        return _gone(exc)
    told = answer["data"]
    return Entry(version=int(told["metadata"]["version"]), data=told["data"])


def _gone(exc: Any) -> Entry | None:
    # an error text comes with a mount that is not there; an empty list with a version that is not
    if exc.errors:
        raise exc
    metadata = ((exc.json or {}).get("data") or {}).get("metadata")
    if metadata is None:
        return None
    return Entry(version=int(metadata["version"]), data=None, destroyed=bool(metadata["destroyed"]))


def _metadata(client: Any, mount: str, path: str) -> Metadata | None:
    try:
        told = client.secrets.kv.v2.read_secret_metadata(path, mount_point=mount)["data"]
    except _not_found() as exc:
        if exc.errors:
            raise
        return None
    newest = told["versions"].get(str(told["current_version"]), {})
    return Metadata(
        current=int(told["current_version"]),
        oldest=int(told["oldest_version"]),
        lost=bool(newest.get("destroyed", True)),
        deletion=str(newest.get("deletion_time") or ""),
    )
