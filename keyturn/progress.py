"""Progress of journeys while they go: a picture that is drawn again on a terminal, a line per change elsewhere.

Both say the same; `place` decides what. Everything goes to standard error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.live import Live
from rich.table import Table

from keyturn.console import err, seconds, table
from keyturn.journey import Journey, Stage
from keyturn.timing import phase_times, position
from keyturn.watch import Watch

# Often enough to look alive, rarely enough for a slow line.
_REFRESHES_PER_S = 8

Show = Callable[[Sequence[Journey]], None]


def place(journey: Journey) -> str:
    """Where a journey is, in a few words: `rotate · prepare: apply`."""
    watch = {Stage.ROTATE: journey.rotation, Stage.RETIRE: journey.retirement, Stage.CLOSE: journey.retirement}.get(
        journey.stage
    )
    if watch is None:
        return journey.stage.value
    retried = f" · retried after: {watch.trouble}" if watch.trouble else ""
    return f"{journey.stage} · {position(watch.run)}{retried}"


@contextmanager
def progress() -> Iterator[Show]:
    """What `follow` is given to show the journeys with."""
    console = err()
    if not console.is_terminal:
        yield _lines(console.print)
        return
    with Live(console=console, refresh_per_second=_REFRESHES_PER_S, transient=True) as live:
        yield lambda journeys: live.update(picture(journeys))


def _lines(write: Callable[[str], None]) -> Show:
    said: dict[str, str] = {}

    def show(journeys: Sequence[Journey]) -> None:
        for journey in journeys:
            here = place(journey)
            if said.get(journey.secret) != here:
                said[journey.secret] = here
                write(f"{journey.secret}  {here}")

    return show


def picture(journeys: Sequence[Journey]) -> Table:
    """All journeys: the phases behind them with their times, and where they are."""
    drawn = table("", "credential", "done", "now")
    for journey in journeys:
        behind = _behind(journey.rotation) + _behind(journey.retirement)
        left = f" {journey.overlap_left_s:.0f} s" if journey.stage is Stage.OVERLAP else ""
        drawn.add_row(journey.secret, "  ".join(behind), place(journey) + left)
    return drawn


def _behind(watch: Watch | None) -> list[str]:
    times = phase_times(watch.run) if watch and watch.run else []
    return [f"{time.phase} {seconds(round(time.seconds, 1))}" for time in times]
