"""The ledger's table in memory as a cloud shows it: the index lags, and no row ever holds a value.

Reads by key are strongly consistent, as the ledger asks for them; only the index `due` may show what was.
"""

from __future__ import annotations

from collections.abc import Sequence

from rotation.ledger.memory import MemoryRows
from rotation.ledger.rows import Put, Row, Write

# Every value that is minted or written by hand in these tests carries it.
MARKER = "SECRET-"


class LaggingRows(MemoryRows):
    """`lag` keeps the index as it is now until `catch_up`. `leaked`: keys of rows that were to hold a value."""

    def __init__(self) -> None:
        super().__init__()
        self.leaked: list[str] = []
        self._then: dict[str, list[Row]] | None = None

    def lag(self) -> None:
        """From now on the index shows what it shows now."""
        self._then = None
        self._then = {shard: super(LaggingRows, self).due(shard, "~") for shard in "0123"}

    def catch_up(self) -> None:
        """The index shows what is."""
        self._then = None

    def due(self, shard: str, until: str) -> list[Row]:
        if self._then is None:
            return super().due(shard, until)
        return [dict(row) for row in self._then[shard] if row["due_at"] <= until]

    def write(self, writes: Sequence[Write]) -> None:
        self.leaked += [str(write.key) for write in writes if isinstance(write, Put) and MARKER in repr(write.row)]
        super().write(writes)
