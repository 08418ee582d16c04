"""What is looked at from outside in one lane: the store, the target and the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from bench.crash.place import Place
from bench.crash.stores import STORES, Store
from bench.crash.targets import TARGETS, Target
from rotation.ledger.records import Head


@dataclass(frozen=True)
class Witness:
    """`lane`: the name of the store."""

    place: Place
    lane: str
    store: Store
    target: Target

    def head(self) -> Head:
        """As the ledger has it."""
        return self.place.ledger.head(self.place.lanes[self.lane].secret)


@contextmanager
def witness(place: Place, lane: str) -> Iterator[Witness]:
    """The witness of a lane while the block lasts."""
    with closing(STORES[lane](place)) as store:
        yield Witness(place, lane, store, TARGETS[lane](place.facts, place.credentials))
