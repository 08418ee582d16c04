"""Places at a target that hold a credential's public trace, each with a fence: who comes late is refused.

A place remembers the highest generation that touched it, also after it was emptied, so that a call of a run that
is over cannot bring its credential back. What a place holds differs: the hash of a token, a public key, and only where
the target has to verify with it a secret. The snapshot is one JSON file, written whole and renamed.
"""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

EMPTY = ""


class StaleGeneration(Exception):
    """A newer generation has touched the place."""


class GenerationUsed(Exception):
    """The same generation left something else in the place."""


class NoFreePlace(Exception):
    """The owner has as many places as it may have."""


@dataclass(frozen=True)
class Place:
    """What a place holds (EMPTY: nothing any more) and the generation that left it so."""

    content: str
    generation: int


class FencedPlaces:
    """Owner -> place name -> Place, safe for threads, kept in `snapshot` over a restart.

    `per_owner` bounds the places of one owner, emptied ones included.
    """

    def __init__(self, snapshot: Path, per_owner: int) -> None:
        self._snapshot = snapshot
        self._per_owner = per_owner
        self._lock = threading.Lock()
        self._owners: dict[str, dict[str, Place]] = {}
        if snapshot.exists():
            stored = json.loads(snapshot.read_text(encoding="utf-8"))
            self._owners = {o: {n: Place(**p) for n, p in places.items()} for o, places in stored.items()}

    def put(self, owner: str, name: str, content: str, generation: int) -> None:
        """Fill a place. The same generation and content again changes nothing.

        Raises:
            StaleGeneration, GenerationUsed, NoFreePlace.
        """
        with self._lock:
            places = self._owners.get(owner, {})
            if name not in places and len(places) >= self._per_owner:
                raise NoFreePlace
            _guard(places.get(name), Place(content, generation))
            self._keep(owner, name, Place(content, generation))

    def empty(self, owner: str, name: str, generation: int) -> bool:
        """Empty a place, by the generation that filled it or a later one; whether it held something.

        An empty or unknown place is success, and takes the generation all the same.

        Raises:
            StaleGeneration: a newer generation has touched it.
        """
        with self._lock:
            before = self._owners.get(owner, {}).get(name)
            if before is not None and generation < before.generation:
                raise StaleGeneration
            self._keep(owner, name, Place(EMPTY, generation))
            return before is not None and before.content != EMPTY

    def of(self, owner: str) -> dict[str, Place]:
        """The places of one owner, emptied ones included."""
        with self._lock:
            return dict(self._owners.get(owner, {}))

    def _keep(self, owner: str, name: str, place: Place) -> None:
        """Change one place and write everything down; called under the lock."""
        owners = {**self._owners, owner: {**self._owners.get(owner, {}), name: place}}
        partial = self._snapshot.with_suffix(".partial")
        stored = {o: {n: asdict(p) for n, p in places.items()} for o, places in owners.items()}
        partial.write_text(json.dumps(stored), encoding="utf-8")
        partial.replace(self._snapshot)
        self._owners = owners


def _guard(before: Place | None, after: Place) -> None:
    if before is None:
        return
    if after.generation < before.generation:
        raise StaleGeneration
    if after.generation == before.generation and after.content != before.content:
        raise GenerationUsed
