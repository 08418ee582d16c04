"""Progress of long work that is no run: a spinner on a terminal, lines elsewhere; on standard error.

Work tells a heading when a stage begins, and a detail for each thing done in it. Without a terminal only headings are
printed, with the number of details behind them: hundreds of lines would hide what matters.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console

from keyturn.console import err

# A shorter stage needs no time beside it.
_WORTH_TELLING_S = 1.0


class Tell(Protocol):
    """Where work tells how it goes."""

    def heading(self, text: str) -> None:
        """A new stage begins."""
        ...

    def detail(self, text: str) -> None:
        """One thing of the stage is done."""
        ...


class Stages:
    """A `Tell` that prints each stage as it begins, and what a long one took. `update` shows the present moment."""

    def __init__(self, console: Console, update: Callable[[str], None]) -> None:
        self._console = console
        self._update = update
        self._stage = ""
        self._details = 0
        self._began = 0.0

    def heading(self, text: str) -> None:
        """End the stage before, begin this one."""
        self.end()
        self._stage, self._details, self._began = text, 0, time.monotonic()
        self._console.print(text)
        self._update(text)

    def detail(self, text: str) -> None:
        """Count and show it."""
        self._details += 1
        self._update(f"{self._stage}: {text}")

    def end(self) -> None:
        """The last stage has ended."""
        took = time.monotonic() - self._began
        if self._stage and (took >= _WORTH_TELLING_S or self._details):
            counted = f", {self._details} steps" if self._details else ""
            self._console.print(f"  {took:.1f} s{counted}", style="dim")
        self._stage = ""


@contextmanager
def stages() -> Iterator[Stages]:
    """A `Stages` for one verb; what went wrong leaves its stage unfinished on purpose."""
    console = err()
    if not console.is_terminal:
        made = Stages(console, lambda _: None)
        yield made
        made.end()
        return
    with console.status("") as spinner:
        made = Stages(console, spinner.update)
        yield made
        made.end()
