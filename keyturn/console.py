"""Where things are printed: results on standard output, progress and errors on standard error.

With `--json` standard output holds exactly one JSON document. Without a terminal lines are not folded, so that they can
be searched; names and messages are printed as they are, never as markup.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from rich.console import Console, RenderableType
from rich.table import Table

# Holds the widest table; there is no edge to fold at where nobody looks.
_UNFOLDED = 240
# Seconds of each unit, the longest first.
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def _console(stream: Any, *, stderr: bool) -> Console:
    width = None if stream.isatty() else _UNFOLDED
    return Console(stderr=stderr, width=width, markup=False, highlight=False, emoji=False)


def out() -> Console:
    """For results."""
    return _console(sys.stdout, stderr=False)


def err() -> Console:
    """For progress and errors."""
    return _console(sys.stderr, stderr=True)


def emit(document: object) -> None:
    """The one JSON document of a verb."""
    sys.stdout.write(json.dumps(document, default=_plain, indent=2) + "\n")
    sys.stdout.flush()


def show(result: RenderableType, document: object, *, as_json: bool) -> None:
    """A result, for people or for programs."""
    if as_json:
        emit(document)
    else:
        out().print(result)


def table(title: str, *columns: str) -> Table:
    """An empty table in the one style that this command uses; without lines beside it, so that it can be copied."""
    made = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def moment(when: datetime | None) -> str:
    """A time to the second, in UTC."""
    return f"{when:%Y-%m-%d %H:%M:%SZ}" if when else ""


def until(end: datetime, now: datetime) -> str:
    """How an overlap stands: `open until` a time to come, `over since` one that has passed."""
    return f"{'over since' if end <= now else 'open until'} {moment(end)}"


def seconds(length: float) -> str:
    """A length of time as people say it: `0.4 s`, `4 h`, `1 d`."""
    for unit, name in _UNITS:
        if length >= unit:
            return f"{length / unit:.3g} {name}"
    return f"{length:.1f} s" if length % 1 else f"{length:.0f} s"


def _plain(value: object) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)
