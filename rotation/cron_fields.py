"""The fields of a `cron(...)` as AWS writes them: lists, ranges, steps, `L`, and `SUN#1` or `5L` for days of the week.

Each day field becomes a rule that names its days of one month, rising. ValueError says which part cannot be read. Not
here: which fields there are, and how they go together (`cadence`).
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
# Sunday is 1, as AWS counts.
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_WEEK = 7


@dataclass(frozen=True)
class MonthDays:
    """Days by their number; `last`: the month's last day too."""

    named: frozenset[int]
    last: bool

    def days(self, year: int, month: int) -> tuple[int, ...]:
        """The days of one month, rising."""
        length = calendar.monthrange(year, month)[1]
        return tuple(day for day in range(1, length + 1) if day in self.named or (self.last and day == length))


@dataclass(frozen=True)
class WeekDays:
    """Days by their weekday: (weekdays, 1 is Sunday; which of the month, 0 for each; whether the last one only)."""

    parts: tuple[tuple[frozenset[int], int, bool], ...]

    def days(self, year: int, month: int) -> tuple[int, ...]:
        """The days of one month, rising."""
        # Monday is 0 in `calendar`
        first, length = calendar.monthrange(year, month)
        return tuple(
            day
            for day in range(1, length + 1)
            if any(_names(part, day, (first + day) % _WEEK + 1, length) for part in self.parts)
        )


def _names(part: tuple[frozenset[int], int, bool], day: int, weekday: int, length: int) -> bool:
    weekdays, nth, last = part
    fits = not nth or (day - 1) // _WEEK + 1 == nth
    return weekday in weekdays and fits and (not last or day + _WEEK > length)


def month_days(field: str) -> MonthDays:
    """The rule of a day of month: numbers, and `L`."""
    parts = field.split(",")
    plain = ",".join(part for part in parts if part != "L")
    named = frozenset(numbers(plain, range(1, 32), (), "the days of the month")) if plain else frozenset()
    return MonthDays(named, "L" in parts)


def week_days(field: str) -> WeekDays:
    """The rule of a day of week: `SUN#1` is the first Sunday of the month, `5L` the last Thursday."""
    return WeekDays(tuple(_week_part(part) for part in field.split(",")))


def _week_part(part: str) -> tuple[frozenset[int], int, bool]:
    nth = re.fullmatch(r"(\w+)#([1-5])", part)
    last = re.fullmatch(r"(\w+)L", part)
    which = nth[1] if nth else last[1] if last else part
    weekdays = frozenset(numbers(which, range(1, 8), WEEKDAYS, "the days of the week"))
    return weekdays, int(nth[2]) if nth else 0, last is not None


def numbers(field: str, allowed: range, names: tuple[str, ...], what: str) -> Iterator[int]:
    """The numbers of one field: lists, ranges and steps; `4/12` is every twelfth from four on."""
    for part in field.split(","):
        found = re.fullmatch(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d{1,2}))?", part, re.ASCII)
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
