"""Secrets of every KV v2 engine that a token may see: LIST and GET of `metadata/` alone, never of `data/`.

Vault does not know who may read a path without every policy of the server being read, so that readers are not told.
Engines of version 1 keep no metadata and cannot be rotated; they are named, not listed. The engines are asked for as
Vault's own interface does (`sys/internal/ui/mounts`), which takes no permission but to see something in each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from keyturn.discover_found import Found, Unlisted, unlisted
from rotation.calls import Caller, Kind
from rotation.errors import KeyturnError, Refused

_ENGINES = "sys/internal/ui/mounts"
_VERSION = "2"
_OWNER = "owner"
# Folders below each other; a server that answers for ever is no tree of secrets.
_DEEPEST = 32


class VaultListing:
    """`client` is an hvac client with the person's token."""

    store: ClassVar[str] = "vault"
    needs: ClassVar[str] = "list and read on MOUNT/metadata/* of each engine"

    def __init__(self, client: Any, caller: Caller) -> None:
        self._client = client
        self._caller = caller
        self._mounts: dict[str, str] = {}
        self.skipped: list[Unlisted] = []

    def listed(self) -> Iterator[Found]:
        """One LIST per folder; a folder that may not be listed is passed over, and said."""
        engines = self._read(_ENGINES).get("secret", {})
        for mount, engine in sorted(engines.items()):
            if engine.get("type") != "kv":
                continue
            if (engine.get("options") or {}).get("version") != _VERSION:
                old = Refused("kv_version_1", f"{mount} keeps no versions")
                self._skip(mount, old, "move it to version 2 of the engine: `vault kv enable-versioning`")
                continue
            yield from self._below(mount.rstrip("/"), "", 0)

    def detailed(self, found: Found) -> Found:
        """Times and owner from the metadata."""
        # a mount's own name may have slashes, so that the path alone does not tell where it ends
        mount = self._mounts[found.path]
        path = found.path.removeprefix(f"{mount}/")
        try:
            told = self._read(f"{mount}/metadata/{path}")
        except KeyturnError as exc:
            self._skip(f"metadata of {found.path}", exc, f"it takes {self.needs}")
            return found
        gone = not told.get("current_version")
        return replace(
            found,
            created=_time(told.get("created_time")),
            changed=_time(told.get("updated_time")),
            owner=str((told.get("custom_metadata") or {}).get(_OWNER, "")),
            note="has no version yet" if gone else "",
        )

    def _below(self, mount: str, folder: str, depth: int) -> Iterator[Found]:
        try:
            keys = self._list(f"{mount}/metadata/{folder}")
        except KeyturnError as exc:
            self._skip(f"{mount}/{folder}", exc, f"it takes {self.needs}")
            return
        for key in keys:
            if not key.endswith("/"):
                path = f"{mount}/{folder}{key}"
                self._mounts[path] = mount
                yield Found(store=self.store, path=path)
            elif depth < _DEEPEST:
                yield from self._below(mount, folder + key, depth + 1)

    def _list(self, path: str) -> list[str]:
        answer = self._caller.call(Kind.READ, lambda: self._client.list(path))
        return list(answer["data"]["keys"]) if answer else []

    def _read(self, path: str) -> dict[str, Any]:
        answer = self._caller.call(Kind.READ, lambda: self._client.read(path))
        return dict(answer["data"]) if answer else {}

    def _skip(self, what: str, exc: KeyturnError, remedy: str) -> None:
        self.skipped.append(unlisted(self.store, what, exc, remedy))


def _time(text: object) -> datetime | None:
    # nanoseconds, of which Python keeps six digits
    return datetime.fromisoformat(text) if isinstance(text, str) and text else None
