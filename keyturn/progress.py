"""Progress of runs while they go: a picture that is drawn again on a terminal, a line per change elsewhere.

Both say the same; `place` decides what. Everything goes to standard error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.live import Live
from rich.table import Table

from keyturn.console import err, seconds, table
from keyturn.follow import Course
from keyturn.timing import phase_times, position
from keyturn.watch import Watch

# Often enough to look alive, rarely enough for a slow line.
_REFRESHES_PER_S = 8

Show = Callable[[Sequence[Course]], None]


def place(course: Course) -> str:
    """Where a course is, in a few words: `rotate · prepare: apply`."""
    watch = course.watched
    if watch is None:
        return str(course.stage)
    retried = f" · retried after: {watch.trouble}" if watch.trouble else ""
    return f"{course.stage} · {position(watch.run)}{retried}"


@contextmanager
def progress() -> Iterator[Show]:
    """What `follow` is given to show the courses with."""
    console = err()
    if not console.is_terminal:
        yield _lines(console.print)
        return
    with Live(console=console, refresh_per_second=_REFRESHES_PER_S, transient=True) as live:
        yield lambda courses: live.update(picture(courses))


def _lines(write: Callable[[str], None]) -> Show:
    said: dict[str, str] = {}

    def show(courses: Sequence[Course]) -> None:
        for course in courses:
            here = place(course)
            if said.get(course.secret) != here:
                said[course.secret] = here
                write(f"{course.secret}  {here}")

    return show


def picture(courses: Sequence[Course]) -> Table:
    """All courses: the phases behind them with their times, and where they are."""
    drawn = table("", "credential", "done", "now")
    for course in courses:
        behind = [told for watch in course.behind for told in _behind(watch)]
        left = f" {course.left_s:.0f} s" if course.left_s else ""
        drawn.add_row(course.secret, "  ".join(behind), place(course) + left)
    return drawn


def _behind(watch: Watch) -> list[str]:
    times = phase_times(watch.run) if watch.run else []
    return [f"{time.phase} {seconds(round(time.seconds, 1))}" for time in times]
