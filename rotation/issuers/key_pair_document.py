"""A published document of public keys that is changed whole: read with its ETag, written only if it still has it.

Whoever keeps documents need not know generations: they lie in the document, written by the same compare-and-set as the
keys, so that a late call of a dead run is fenced wherever `If-Match` holds. Keys, members and generations that are not
this credential's are written back as they were found. Not here: what a key is (`key_pair_keys`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rotation.contract import Fence, Probe, Verdict
from rotation.errors import Conflict
from rotation.issuers import target_api

# Each turn is lost to somebody who changed the document in between; who loses five met no chance neighbour.
TURNS = 5
# Names of removed keys that are remembered with their generation. A call can only be late while its run's invocation
# lives, and each claim waits for the one before: one would do for a secret, the rest is for secrets that share it.
REMEMBERED = 32


@dataclass(frozen=True)
class _Document:
    """`body` is the document as it was found."""

    body: Mapping[str, Any]

    @property
    def keys(self) -> list[dict[str, Any]]:
        found = self.body.get("keys")
        return [key for key in found if isinstance(key, dict)] if isinstance(found, list) else []

    @property
    def generations(self) -> dict[str, int]:
        found = self.body.get("generations")
        given = found.items() if isinstance(found, dict) else ()
        return {str(kid): number for kid, number in given if isinstance(number, int)}

    @property
    def names(self) -> set[str]:
        return {str(key.get("kid", "")) for key in self.keys}

    def changed(self, kid: str, key: Mapping[str, Any] | None, epoch: int) -> _Document:
        """With `key` (None: without it) under `kid`, left so by `epoch`."""
        others = [other for other in self.keys if other.get("kid") != kid]
        kept = others if key is None else [*others, dict(key)]
        after = _Document({**self.body, "keys": kept, "generations": {**self.generations, kid: epoch}})
        return _Document({**after.body, "generations": after.remembered()})

    def remembered(self) -> dict[str, int]:
        """Generations of what is published, and of the last that were removed."""
        removed = sorted(self.generations.keys() - self.names, key=lambda kid: self.generations[kid])
        forgotten = set(removed[:-REMEMBERED])
        return {kid: number for kid, number in self.generations.items() if kid not in forgotten}


class KeyDocument:
    """The document at `path` of a target's API."""

    def __init__(self, api: target_api.TargetApi, path: str) -> None:
        self._api = api
        self._path = path

    def put(self, kid: str, key: Mapping[str, Any], fence: Fence) -> None:
        """Publish `key`. Fenced when a newer run changed it, or this one removed it; Conflict `document_busy`."""
        self._change(kid, {**key, "kid": kid}, fence)

    def remove(self, kid: str, fence: Fence) -> None:
        """Publish it no more; what was never there is remembered as removed. Fenced, Conflict as `put`."""
        self._change(kid, None, fence)

    def holds(self, kid: str, fence: Fence) -> Probe:
        """ACCEPTED when the key is published, and by this epoch; else REFUSED `not_held`."""
        document = _Document(self._api.read(self._path)[0])
        if kid in document.names and document.generations.get(kid) == fence.epoch:
            return Probe(verdict=Verdict.ACCEPTED)
        return target_api.not_held()

    def _change(self, kid: str, key: Mapping[str, Any] | None, fence: Fence) -> None:
        for _ in range(TURNS):
            body, etag = self._api.read(self._path)
            document = _Document(body)
            before = document.generations.get(kid)
            here = kid in document.names
            if before is not None and (before > fence.epoch or (before == fence.epoch and key and not here)):
                raise target_api.stale()
            if before == fence.epoch and here == bool(key):
                return
            if self._api.replace(self._path, document.changed(kid, key, fence.epoch).body, etag):
                return
        raise Conflict(
            "document_busy",
            "somebody else changed the target's document each time it was about to be written",
            "look at who else writes it",
        )
