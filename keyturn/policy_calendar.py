"""The next due times of a policy, when each may start, and months of a calendar drawn in text.

A month is a block of lines of one width, weeks from Monday. Behind the number of a day stands what holds for it: `*` a
rotation starts, `>` one is due and waits, `#` a freeze, `-` the window stays closed; nothing where one may start.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import zip_longest

from rotation.due_times import due_after, earliest_start
from rotation.planning.spread import anchor
from rotation.policy import Policy

STARTS, WAITS, FROZEN, CLOSED = "*", ">", "#", "-"
LEGEND = f"{STARTS} starts   {WAITS} due, waits   {FROZEN} freeze   {CLOSED} window closed"
# Ten rotations are shown: a year of monthly ones, nearly.
TIMES = 10
_COLUMN = len("31* ")
_WIDTH = 7 * _COLUMN
_BETWEEN = "   "
# A year in three rows; a wider page is no easier to read.
_MOST = 4
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """One rotation to come: when it is due, and when it may start first; None is never within two years."""

    due: datetime
    start: datetime | None


def rotations(policy: Policy, since: datetime, times: int = TIMES) -> list[Rotation]:
    """The next `times` rotations after `since`, which stands for the start of the last one.

    A rate counts from the day or hour of the start before, as the sweep does: a delay of days moves all that follow.
    """
    found: list[Rotation] = []
    last = since
    for _ in range(times):
        due = due_after(policy.cadence, last, anchor(policy.cadence, last))
        start = earliest_start(policy, due)
        found.append(Rotation(due=due, start=start))
        # what cannot start is still due again
        last = start or due
    return found


def months(policy: Policy, coming: Sequence[Rotation], since: date) -> list[str]:
    """The months from `since` in which something is due or starts, each as a block of lines."""
    days = {since, *(moment.date() for one in coming for moment in (one.due, one.start) if moment)}
    return [_month(policy, coming, *month) for month in sorted({(day.year, day.month) for day in days})]


def side_by_side(blocks: Sequence[str], columns: int) -> str:
    """Blocks in rows of `columns`."""
    rows = []
    for start in range(0, len(blocks), max(columns, 1)):
        lines = zip_longest(*(block.split("\n") for block in blocks[start : start + max(columns, 1)]), fillvalue="")
        rows.append("\n".join(_BETWEEN.join(part.ljust(_WIDTH) for part in line).rstrip() for line in lines))
    return "\n\n".join(rows)


def fitting(width: int) -> int:
    """How many months go side by side."""
    return min(max((width + len(_BETWEEN)) // (_WIDTH + len(_BETWEEN)), 1), _MOST)


def _month(policy: Policy, coming: Sequence[Rotation], year: int, month: int) -> str:
    lines = [f"{calendar.month_name[month]} {year}", "".join(f"{name:<{_COLUMN}}" for name in calendar.day_abbr)]
    for week in calendar.Calendar().monthdatescalendar(year, month):
        shown = (f"{day.day:>2}{mark(policy, coming, day)} " if day.month == month else " " * _COLUMN for day in week)
        lines.append("".join(shown))
    return "\n".join(line.rstrip() for line in lines)


def mark(policy: Policy, coming: Sequence[Rotation], day: date) -> str:
    """What holds for a day, in one character."""
    if any(one.start and one.start.date() == day for one in coming):
        return STARTS
    if any(one.due.date() <= day and (one.start is None or day < one.start.date()) for one in coming):
        return WAITS
    begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
    if earliest_start(replace(policy, window=None), begins) != begins:
        return FROZEN
    start = earliest_start(policy, begins)
    return " " if start and start < begins + _DAY else CLOSED
