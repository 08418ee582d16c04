"""When a rotation is due, and when one that is due may start: pure arithmetic over a cadence, a window and freezes.

Times are aware datetimes in UTC. Both functions cost a handful of steps for every expression, because the sweep asks
them for each policy of a large catalogue: a cron jumps from named month to named month, a freeze is left at its end.
Not here: spreading starts, order and budgets (the planner), and what switches stop at run time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from rotation.cadence import Cron, Rate, moment, read
from rotation.cron_fields import WEEKDAYS
from rotation.policy import Freeze, Policy, Window

# Nothing that starts later than this belongs to the rotation that was due: the policy is wrong, and the lint says so.
HORIZON = timedelta(days=731)
# The rarest day there is, a fifth weekday of February, comes back within 40 years (2096 to 2136 leaves out 2100).
_RAREST_YEARS = 41
_DAY = timedelta(days=1)
_YEAR_TEXT = len("2026-12-20")


def due_after(cadence: str, after: datetime, anchor: datetime | None = None) -> datetime:
    """The first due time later than `after`.

    A rate counts whole intervals from `anchor` (see `planning.spread`), or from `after` where there was none; a
    cron knows its own times and leaves `anchor` alone. ValueError for a cadence that cannot be read or never comes.
    """
    found = read(cadence)
    if isinstance(found, Rate):
        return _interval_after(timedelta(seconds=found.every_s), after, anchor or after)
    return _cron_after(found, after)


def earliest_start(policy: Policy, due: datetime) -> datetime | None:
    """The first moment at or after `due` that lies in the window and outside freezes; None within two years."""
    day, end = due.date(), (due + HORIZON).date()
    spans = [_Span(freeze) for freeze in policy.freezes]
    while day < end:
        left = next((left for span in spans if (left := span.left(day))), None)
        if left:
            day = left
            continue
        start = _opening(policy.window, day, due)
        if start:
            return start
        day += _DAY
    return None


def _interval_after(every: timedelta, after: datetime, anchor: datetime) -> datetime:
    # never less than one: a rotation that ended after the time that is asked about is not due when it ended
    whole = max((after - anchor) // every + 1, 1)
    return anchor + whole * every


def _cron_after(cron: Cron, after: datetime) -> datetime:
    today = [hour for hour in cron.hours if moment(after.date(), hour) > after]
    if today and after.day in cron.days(after.year, after.month):
        return moment(after.date(), today[0])
    year, month, day = after.year, after.month, after.day
    for _ in range(_RAREST_YEARS * len(cron.months)):
        days = cron.days(year, month)
        later = bisect_right(days, day)
        if later < len(days):
            return moment(date(year, month, days[later]), cron.hours[0])
        year, month = _month_after(cron.months, year, month)
        day = 0
    raise ValueError("never comes")


def _month_after(months: Sequence[int], year: int, month: int) -> tuple[int, int]:
    later = bisect_right(months, month)
    return (year, months[later]) if later < len(months) else (year + 1, months[0])


def _opening(window: Window | None, day: date, due: datetime) -> datetime | None:
    """The first moment of a day at or after `due` in which a start is allowed."""
    if window is None:
        return max(due, moment(day, 0))
    if window.days and WEEKDAYS[day.isoweekday() % len(WEEKDAYS)] not in window.days:
        return None
    opens = moment(day, window.opens)
    start = max(due, opens)
    return start if start < opens + timedelta(hours=window.hours) else None


class _Span:
    """The days of one freeze; yearly ones may lead over the end of a year. ValueError when they cannot be read."""

    def __init__(self, freeze: Freeze) -> None:
        self._yearly = len(freeze.first) < _YEAR_TEXT
        self._first, self._last = _day_of(freeze.first), _day_of(freeze.last)

    def left(self, day: date) -> date | None:
        """The day after the freeze, when `day` lies in it."""
        asked = (0 if self._yearly else day.year, day.month, day.day)
        wraps = self._yearly and self._last < self._first
        first, last = self._first, self._last
        if not ((first <= asked or asked <= last) if wraps else first <= asked <= last):
            return None
        year = last[0] or day.year + (wraps and asked >= first)
        # the 29th of February of a year that has none is followed by the first of March as well
        return date(year, last[1], 1) + timedelta(days=last[2]) if last[1:] != (2, 29) else date(year, 3, 1)


def _day_of(text: str) -> tuple[int, int, int]:
    """Year (0 for every year), month and day of `2026-12-20` or `12-20`; ValueError for what is no day."""
    yearly = len(text) < _YEAR_TEXT
    # a leap year, in which every day of a calendar exists
    day = date.fromisoformat(f"2024-{text}" if yearly else text)
    return (0 if yearly else day.year, day.month, day.day)
