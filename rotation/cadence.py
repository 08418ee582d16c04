"""How often a policy asks for a rotation: `rate(...)` and `cron(...)` as AWS writes them, for every store.

Source: AWS Secrets Manager user guide, rotation schedules; times are UTC. Only the shortest pause between two rotations
is wanted here, to compare overlap and floors with it; it is found by walking some years of the calendar, because an
expression such as `cron(0 2/10 * * ? *)` starts anew each day. Not here: when a secret is due.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

HOUR_S = 3_600
DAY_S = 24 * HOUR_S
# AWS rotates no secret more often. Stricter than Google (rotation_period of an hour) and than the sustained quota of
# versions (100 kept, none younger than a day dropped: one per 14.4 minutes), so one floor serves all stores.
SHORTEST_S = 4 * HOUR_S
# The longest rate that AWS takes.
LONGEST_RATE_S = 999 * DAY_S
# A window that holds leap days and every weekday on every date of the month.
_FIRST_DAY = date(2024, 1, 1)
_DAYS = 12 * 366
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
# Sunday is 1, as AWS counts.
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = 6


def shortest_pause_s(cadence: str) -> int:
    """Seconds between the two closest rotations of a cadence; ValueError says what is wrong with it."""
    rate = re.fullmatch(r"rate\((\d{1,6}) (hour|day)s?\)", cadence)
    cron = re.fullmatch(r"cron\(([^()]+)\)", cadence)
    if rate:
        pause = int(rate[1]) * (HOUR_S if rate[2] == "hour" else DAY_S)
        if pause > LONGEST_RATE_S:
            raise ValueError("is longer than 999 days")
    elif cron:
        pause = _cron_pause_s(cron[1].split())
    else:
        raise ValueError("is neither rate(n hours), rate(n days) nor cron(0 H dom M dow *)")
    if pause < SHORTEST_S:
        raise ValueError("rotates more often than every four hours")
    return pause


def _cron_pause_s(fields: list[str]) -> int:
    if len(fields) != _FIELDS:
        raise ValueError("has not the six fields minutes, hours, day of month, month, day of week, year")
    minutes, hours, of_month, months, of_week, year = fields
    if minutes != "0":
        raise ValueError("starts at another minute than 0: rotation windows open on the hour")
    if year != "*":
        raise ValueError("names a year: that field has to be *")
    if (of_month == "?") == (of_week == "?"):
        raise ValueError("needs ? in one of day of month and day of week, and only in one")
    days = _Days(
        of_month=of_month, of_week=of_week, months=frozenset(_numbers(months, range(1, 13), _MONTHS, "the months"))
    )
    at = sorted(set(_numbers(hours, range(24), (), "the hours")))
    moments = [n * DAY_S + hour * HOUR_S for n in range(_DAYS) if days.hold(_FIRST_DAY + timedelta(n)) for hour in at]
    if len(moments) <= 1:
        raise ValueError("never comes")
    return min(later - earlier for earlier, later in pairwise(moments))


@dataclass(frozen=True, kw_only=True)
class _Days:
    """Which days an expression names; exactly one of the two day fields is `?`."""

    of_month: str
    of_week: str
    months: frozenset[int]

    def __post_init__(self) -> None:
        """ValueError for a field that cannot be read, before any day is looked at."""
        self.hold(_FIRST_DAY)

    def hold(self, day: date) -> bool:
        """Whether the day is one of them."""
        fits = self._in_month(day) if self.of_week == "?" else self._in_week(day)
        return fits and day.month in self.months

    def _in_month(self, day: date) -> bool:
        last = calendar.monthrange(day.year, day.month)[1]
        parts = self.of_month.split(",")
        plain = ",".join(part for part in parts if part != "L")
        named = set(_numbers(plain, range(1, 32), (), "the days of the month")) if plain else set()
        return day.day in named or ("L" in parts and day.day == last)

    def _in_week(self, day: date) -> bool:
        weekday = day.isoweekday() % 7 + 1
        # every part is read, so that a wrong one behind a right one is found
        return True in [self._names(part, weekday, day) for part in self.of_week.split(",")]

    def _names(self, part: str, weekday: int, day: date) -> bool:
        """`SUN#1` is the first Sunday of the month, `5L` the last Thursday."""
        nth = re.fullmatch(r"(\w+)#([1-5])", part)
        last = re.fullmatch(r"(\w+)L", part)
        which = nth[1] if nth else last[1] if last else part
        if weekday not in set(_numbers(which, range(1, 8), _WEEKDAYS, "the days of the week")):
            return False
        if nth:
            return (day.day - 1) // 7 + 1 == int(nth[2])
        return not last or (day + timedelta(7)).month != day.month


def _numbers(field: str, allowed: range, names: tuple[str, ...], what: str) -> Iterator[int]:
    """The numbers of one field: lists, ranges and steps; `4/12` is every twelfth from four on."""
    for part in field.split(","):
        found = re.fullmatch(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d{1,2}))?", part)
        step = int(found[4]) if found and found[4] else 1
        if found is None or not step:
            raise ValueError(f"has {part!r} among {what}")
        first = allowed[0] if found[1] else _number(found[2], allowed, names, what)
        open_ended = found[1] or found[4]
        last = _number(found[3], allowed, names, what) if found[3] else allowed[-1] if open_ended else first
        if last < first:
            raise ValueError(f"has {part!r} among {what}, which runs backwards")
        yield from range(first, last + 1, step)


def _number(text: str, allowed: range, names: tuple[str, ...], what: str) -> int:
    named = text.upper() in names
    # both kinds of names count from one
    number = names.index(text.upper()) + 1 if named else int(text) if text.isdecimal() else -1
    if number not in allowed:
        raise ValueError(f"has {text!r} among {what}, which go from {allowed[0]} to {allowed[-1]}")
    return number
