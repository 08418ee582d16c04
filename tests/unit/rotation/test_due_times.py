"""Due times and first starts agree with a walk of the calendar, hour by hour, for every cadence, window and freeze."""

from __future__ import annotations

import calendar
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_bench import policy

from rotation.cron_fields import WEEKDAYS
from rotation.due_times import HORIZON, due_after, earliest_start
from rotation.policy import Freeze, Policy, Window

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cadence", "after", "due"),
    [
        ("cron(0 8 * * ? *)", "2026-11-22T07:59", "2026-11-22T08:00"),
        ("cron(0 8 * * ? *)", "2026-11-22T08:00", "2026-11-23T08:00"),
        ("cron(0 2/10 * * ? *)", "2026-12-31T22:00", "2027-01-01T02:00"),
        ("cron(0 16 L * ? *)", "2027-02-01T00:00", "2027-02-28T16:00"),
        ("cron(0 8 29 FEB ? *)", "2026-11-22T08:00", "2028-02-29T08:00"),
        # the one fifth Sunday of a February that lies eight leap years off, beyond a year that is none
        ("cron(0 3 ? FEB SUN#5 *)", "2088-03-01T00:00", "2128-02-29T03:00"),
        ("cron(0 0 ? * 5L *)", "2026-11-22T00:00", "2026-11-26T00:00"),
    ],
)
def test_a_cron_comes_at_its_own_times(cadence: str, after: str, due: str) -> None:
    assert due_after(cadence, at(after)) == at(due)
    assert due_after(cadence, at(after), at("2001-01-01T05:00")) == at(due)


@pytest.mark.parametrize(
    ("after", "anchor", "due"),
    [
        ("2026-11-01T08:30", "2026-11-01T08:30", "2026-12-01T08:30"),
        ("2026-11-30T00:00", "2026-11-01T08:30", "2026-12-01T08:30"),
        # due is strictly later than asked, so that a list of due times goes on
        ("2026-12-01T08:30", "2026-11-01T08:30", "2026-12-31T08:30"),
        ("2027-02-28T00:00", "2026-11-01T08:30", "2027-03-01T08:30"),
        # a rotation that ends later than the time asked about is not due at its own end
        ("2026-10-01T00:00", "2026-11-01T08:30", "2026-12-01T08:30"),
    ],
)
def test_a_rate_counts_whole_intervals_from_the_end_of_the_last_rotation(after: str, anchor: str, due: str) -> None:
    assert due_after("rate(30 days)", at(after), at(anchor)) == at(due)


def test_a_rate_without_a_last_rotation_counts_from_the_time_that_is_asked_about() -> None:
    assert due_after("rate(4 hours)", NOW) == NOW + timedelta(hours=4)


def test_a_cadence_that_never_comes_is_a_value_error_and_no_endless_search() -> None:
    with pytest.raises(ValueError, match="never comes"):
        due_after("cron(0 8 30 FEB ? *)", NOW)


lists = st.lists(st.integers(0, 23), min_size=1, max_size=4).map(lambda hours: ",".join(map(str, hours)))
weekday = st.sampled_from(WEEKDAYS)
days = st.one_of(
    st.tuples(st.sampled_from(["*", "L", "1", "31", "1/7", "15,L", "5-9"]), st.just("?")),
    st.tuples(st.just("?"), weekday | weekday.map("{}L".format) | st.sampled_from(["*", "MON-FRI", "SUN#2,TUE#4"])),
)
months = st.sampled_from(["*", "JAN,JUL", "3/4", "2", "NOV-DEC"])
crons = (
    st.tuples(lists, days, months)
    # a 31 February never comes
    .filter(lambda part: (part[1][0], part[2]) != ("31", "2"))
    .map(lambda part: f"cron(0 {part[0]} {part[1][0]} {part[2]} {part[1][1]} *)")
)
moments = st.datetimes(datetime(2023, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds


def walked(cadence: str, after: datetime) -> datetime:
    """The same by looking at every hour, with a reading of the fields of its own."""
    _, hours, of_month, months, of_week, _ = cadence[5:-1].split()
    moment = after.replace(minute=0, second=0, microsecond=0) + HOUR
    while not (
        str(moment.hour) in hours.split(",")
        and moment.month in _months(months)
        and (_in_month(of_month, moment) if of_week == "?" else _in_week(of_week, moment))
    ):
        moment += HOUR
    return moment


def _months(field: str) -> set[int]:
    return {"*": set(range(1, 13)), "JAN,JUL": {1, 7}, "3/4": {3, 7, 11}, "2": {2}, "NOV-DEC": {11, 12}}[field]


def _in_month(field: str, day: datetime) -> bool:
    last = day.day == calendar.monthrange(day.year, day.month)[1]
    named = {"*": range(1, 32), "L": (), "1": (1,), "31": (31,), "1/7": (1, 8, 15, 22, 29), "15,L": (15,)}
    return day.day in named.get(field, range(5, 10)) or ("L" in field and last)


def _in_week(field: str, day: datetime) -> bool:
    name = f"{day:%a}".upper()
    nth = (day.day - 1) // 7 + 1
    if field in ("*", "MON-FRI"):
        return field == "*" or name not in ("SAT", "SUN")
    if "#" in field:
        return (name, nth) in (("SUN", 2), ("TUE", 4))
    return name == field[:3] and (len(field) == 3 or (day + timedelta(days=7)).month != day.month)


@settings(max_examples=150, deadline=None)
@given(crons, moments)
def test_the_due_time_of_any_cron_is_what_a_walk_of_the_hours_finds(cadence: str, after: datetime) -> None:
    assert due_after(cadence, after) == walked(cadence, after)


@given(crons, moments, st.integers(1, 5))
def test_due_times_rise_and_none_is_left_out(cadence: str, after: datetime, steps: int) -> None:
    due = after
    for _ in range(steps):
        later = due_after(cadence, due)
        assert due < later
        assert due_after(cadence, later - timedelta(seconds=1)) == later
        due = later


def _span(text: tuple[date, int, bool]) -> Freeze:
    first, length, yearly = text
    last = first + timedelta(days=length)
    return Freeze(
        first=f"{first:%m-%d}" if yearly else str(first), last=f"{last:%m-%d}" if yearly else str(last), why=""
    )


freezes = st.tuples(st.dates(date(2024, 1, 1), date(2029, 1, 1)), st.integers(0, 200), st.booleans()).map(_span)
windows = st.none() | st.tuples(st.integers(0, 23), st.integers(1, 24), st.sets(weekday)).map(
    lambda part: Window(opens=part[0], hours=min(part[1], 24 - part[0]), days=tuple(sorted(part[2])))
)


def allowed(one: Policy, moment: datetime) -> bool:
    """Whether something may start at a moment, said directly."""
    for freeze in one.freezes:
        day = f"{moment:%Y-%m-%d}"[-len(freeze.first) :]
        inside = freeze.first <= day <= freeze.last
        if freeze.last < freeze.first:
            inside = day >= freeze.first or day <= freeze.last
        if inside:
            return False
    window = one.window
    if window is None:
        return True
    named = not window.days or f"{moment:%a}".upper() in window.days
    return named and window.opens <= moment.hour < window.opens + window.hours


@settings(max_examples=150, deadline=None)
@given(windows, st.lists(freezes, max_size=3), moments)
def test_the_first_start_is_what_a_walk_of_the_hours_finds(
    window: Window | None, frozen: list[Freeze], due: datetime
) -> None:
    one = policy(window=window, freezes=tuple(frozen))
    start = earliest_start(one, due)
    moment, end = due, due + HORIZON
    while moment < end and not allowed(one, moment):
        moment = moment.replace(minute=0, second=0, microsecond=0) + HOUR
    if moment.date() >= end.date():
        assert start is None
    else:
        assert start == moment


def test_a_freeze_over_the_turn_of_the_year_ends_in_the_next_one() -> None:
    one = policy(freezes=(Freeze(first="12-20", last="01-05", why=""),))
    for due in ("2026-12-20T00:00", "2026-12-31T23:00", "2027-01-05T23:59"):
        assert earliest_start(one, at(due)) == at("2027-01-06T00:00")


@pytest.mark.parametrize("year", [2027, 2028])
def test_a_freeze_up_to_the_last_of_february_ends_in_leap_years_and_others(year: int) -> None:
    one = policy(freezes=(Freeze(first="02-01", last="02-29", why=""),))
    assert earliest_start(one, at(f"{year}-02-10T00:00")) == at(f"{year}-03-01T00:00")


def test_what_is_always_frozen_never_starts() -> None:
    assert earliest_start(policy(freezes=(Freeze(first="01-01", last="12-31", why=""),)), NOW) is None


def test_a_hundred_thousand_policies_are_reckoned_in_seconds() -> None:
    one = replace(
        policy(),
        cadence="cron(0 8 ? * MON-FRI *)",
        window=Window(opens=2, hours=4, days=("TUE",)),
        freezes=(Freeze(first="11-20", last="01-05", why=""),),
    )
    # processor time, and a tenth of the number: walking the hours of half a year instead takes minutes for it
    began = time.process_time()
    for _ in range(10_000):
        earliest_start(one, due_after(one.cadence, NOW))
    assert time.process_time() - began < 5
