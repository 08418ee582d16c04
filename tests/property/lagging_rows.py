"""The ledger's table in memory as a cloud shows it: the index lags, and no row ever holds a value.

Reads by key are strongly consistent, as the ledger asks for them; only the index `due` may show what was.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

from rotation.ledger.memory import MemoryRows
from rotation.ledger.rows import Put, Row, Write

# Every value that is minted or written by hand in these tests carries it.
MARKER = "SECRET-"


class LaggingRows(MemoryRows):
    """`lag` keeps the index as it is now until `catch_up`. `leaked`: keys of rows that were to hold a value."""

    def __init__(self) -> None:
        super().__init__()
        self.leaked: list[str] = []
        # who wants to know of every row that is written
        self.written: Callable[[Row], None] = lambda _: None
        self._then: MemoryRows | None = None

    def lag(self) -> None:
        """From now on the index shows what it shows now."""
        self._then = MemoryRows()
        self._then._rows = copy.deepcopy(self._rows)

    def catch_up(self) -> None:
        """The index shows what is."""
        self._then = None

    def due(self, shard: str, until: str, most: int = 0) -> list[Row]:
        return self._then.due(shard, until, most) if self._then else super().due(shard, until, most)

    def write(self, writes: Sequence[Write]) -> None:
        self.leaked += [str(write.key) for write in writes if isinstance(write, Put) and MARKER in repr(write.row)]
        super().write(writes)
        for write in writes:
            if isinstance(write, Put):
                self.written(write.row)
