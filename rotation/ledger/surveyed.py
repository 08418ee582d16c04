"""How far the sweep has come with looking at what the stores show: one row, the last secret that was looked at."""

from __future__ import annotations

from rotation.ledger.rows import Key, Put, Rows

_KEY = Key("survey", "cursor")


class Surveyed:
    """Reads and writes the row. Two sweeps at once look at the same secrets, which harms nobody."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def after(self) -> str:
        """The name to go on after; "" for the beginning."""
        row = self._rows.get(_KEY)
        return str(row["after"]) if row else ""

    def come_to(self, name: str) -> None:
        """The next look goes on after this one; "" begins anew."""
        self._rows.write([Put(key=_KEY, row={"after": name})])
