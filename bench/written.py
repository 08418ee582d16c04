"""Result files: the document as JSON, and its tables as Markdown with what is the same every time first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.tables import Table, cost_tables, counted_tables, timed_tables

FOLDER = Path(__file__).resolve().parent / "results"
_NAME = "rotation"


def write(document: Mapping[str, Any], folder: Path = FOLDER) -> None:
    """`rotation.json` and `rotation.md` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{_NAME}.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    (folder / f"{_NAME}.md").write_text(markdown(document), encoding="utf-8")


def markdown(document: Mapping[str, Any]) -> str:
    """The whole document."""
    parts = [
        "# One rotation: calls, cost, time\n",
        f"Made by `make bench` on {document['date']}.\n",
        "## Counted\n",
        *map(_table, counted_tables(document)),
        "## Cost\n",
        *map(_table, cost_tables(document)),
        "## Timed, on one machine\n",
        *map(_table, timed_tables(document)),
    ]
    return "\n".join(parts)


def _table(table: Table) -> str:
    lines = [f"**{table.title}**\n", _row(table.columns), _row(tuple("---" for _ in table.columns))]
    lines += [_row(row) for row in table.rows]
    return "\n".join(lines) + "\n" + (f"\n{table.note}\n" if table.note else "")


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
