"""How often a policy asks for a rotation: `rate(...)` and `cron(...)` as AWS writes them, for every store.

Source: AWS Secrets Manager user guide, rotation schedules; times are UTC. An expression is read once into a `Rate` or a
`Cron`, which names the days of one month at a time, so that nobody walks a calendar day by day. The shortest pause is
searched through some years, because an expression such as `cron(0 2/10 * * ? *)` starts anew each day. Not here: when
a secret is due (`due_times`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from rotation.cron_fields import MONTHS, MonthDays, WeekDays, month_days, numbers, week_days

HOUR_S = 3_600
DAY_S = 24 * HOUR_S
# AWS rotates no secret more often. Stricter than Google (rotation_period of an hour) and than the sustained quota of
# versions (100 kept, none younger than a day dropped: one per 14.4 minutes), so one floor serves all stores.
SHORTEST_S = 4 * HOUR_S
# The longest rate that AWS takes.
LONGEST_RATE_S = 999 * DAY_S
# A window that holds leap days and every weekday on every date of the month.
_YEARS = range(2024, 2036)
_FIRST_DAY = date(_YEARS[0], 1, 1)
_FIELDS = 6
# Expressions that are kept as read: a catalogue of many policies writes few different ones.
_KEPT = 1_024


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Every so many seconds, counted from where `planning.spread.anchor` says."""

    every_s: int


@dataclass(frozen=True, kw_only=True)
class Cron:
    """Full hours of some days of some months, in UTC; `hours` and `months` rise."""

    hours: tuple[int, ...]
    months: tuple[int, ...]
    of_month: MonthDays | None
    of_week: WeekDays | None

    def days(self, year: int, month: int) -> tuple[int, ...]:
        """The days of one month, rising; empty for a month that is not named."""
        if month not in self.months:
            return ()
        return _days(self.of_month or self.of_week, year, month)


@lru_cache(maxsize=_KEPT)
def read(cadence: str) -> Rate | Cron:
    """The expression, read; ValueError says what is wrong with it. Whether it comes too often is not asked."""
    rate = re.fullmatch(r"rate\(([0-9]{1,6}) (hour|day)s?\)", cadence)
    cron = re.fullmatch(r"cron\(([^()]+)\)", cadence)
    if rate:
        every_s = int(rate[1]) * (HOUR_S if rate[2] == "hour" else DAY_S)
        if every_s > LONGEST_RATE_S:
            raise ValueError("is longer than 999 days")
        if not every_s:
            raise ValueError("counts nothing")
        return Rate(every_s=every_s)
    if cron:
        return _cron(cron[1].split())
    raise ValueError("is neither rate(n hours), rate(n days) nor cron(0 H dom M dow *)")


@lru_cache(maxsize=_KEPT)
def pause_s(cadence: str) -> int:
    """Seconds between the two closest rotations of a cadence, too close or not; ValueError when it cannot be read."""
    found = read(cadence)
    return found.every_s if isinstance(found, Rate) else _cron_pause_s(found)


def shortest_pause_s(cadence: str) -> int:
    """The same, of a cadence that a policy may have; ValueError says what is wrong with it."""
    pause = pause_s(cadence)
    if pause < SHORTEST_S:
        raise ValueError("rotates more often than every four hours")
    return pause


def moment(day: date, hour: int) -> datetime:
    """A full hour of a UTC day."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def _cron(fields: list[str]) -> Cron:
    if len(fields) != _FIELDS:
        raise ValueError("has not the six fields minutes, hours, day of month, month, day of week, year")
    minutes, hours, of_month, months, of_week, year = fields
    if minutes != "0":
        raise ValueError("starts at another minute than 0: rotation windows open on the hour")
    if year != "*":
        raise ValueError("names a year: that field has to be *")
    if (of_month == "?") == (of_week == "?"):
        raise ValueError("needs ? in one of day of month and day of week, and only in one")
    return Cron(
        hours=tuple(sorted(set(numbers(hours, range(24), (), "the hours")))),
        months=tuple(sorted(set(numbers(months, range(1, 13), MONTHS, "the months")))),
        of_month=None if of_month == "?" else month_days(of_month),
        of_week=None if of_week == "?" else week_days(of_week),
    )


@lru_cache(maxsize=_KEPT)
def _days(rule: MonthDays | WeekDays | None, year: int, month: int) -> tuple[int, ...]:
    return rule.days(year, month) if rule else ()


def _cron_pause_s(cron: Cron) -> int:
    days = [date(year, month, day) for year in _YEARS for month in cron.months for day in cron.days(year, month)]
    starts = [(day - _FIRST_DAY) // timedelta(1) * DAY_S for day in days]
    moments = [start + hour * HOUR_S for start in starts for hour in cron.hours]
    if len(moments) <= 1:
        raise ValueError("never comes")
    return min(later - earlier for earlier, later in pairwise(moments))
