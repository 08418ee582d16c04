"""Rules about when a rotation starts: cadence, window, freezes, and who keeps the calendar.

Sources: AWS Secrets Manager user guide (schedules, windows, quotas), Google Secret Manager's rotation periods.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from policy_rules.rule import Case, Offence, Rule, length
from rotation.cadence import DAY_S, HOUR_S, SHORTEST_S, Cron, pause_s, read
from rotation.cron_fields import WEEKDAYS
from rotation.due_times import earliest_start
from rotation.policy import Freeze, Policy, Window

# Seconds, and why nothing may rotate more often; Keyturn holds the strictest, AWS's, in every store.
FLOORS = (
    (SHORTEST_S, "AWS Secrets Manager rotates every four hours at most"),
    (HOUR_S, "Google Secret Manager takes no rotation period below an hour"),
    (864, "a store that keeps 100 versions for a day loses current ones below 14.4 minutes"),
)
# A window ends with the UTC day at the latest.
_MIDNIGHT = 24
_WEEK = timedelta(days=7)


def broken_floors(every_s: int) -> list[str]:
    """Why a rotation every `every_s` seconds is too often; empty when it is not."""
    return [why for floor_s, why in FLOORS if every_s < floor_s]


def _form(case: Case) -> Iterator[Offence]:
    try:
        pause_s(case.policy.cadence)
    except ValueError as exc:
        if not _minutes(case.policy.cadence):
            yield "cadence", f"{case.policy.cadence} {exc}", "write it as AWS Secrets Manager does"


def _pause(case: Case) -> Iterator[Offence]:
    cadence = case.policy.cadence
    if minutes := _minutes(cadence):
        why = "; ".join(broken_floors(minutes * 60) or ["schedules count hours or days"])
        yield "cadence", f"{cadence} counts minutes: {why}", "leave four hours or more apart"
        return
    try:
        why = "; ".join(broken_floors(pause_s(cadence)))
    except ValueError:
        # an offence of its own
        return
    if why:
        yield "cadence", f"{cadence} rotates more often than every four hours: {why}", "leave four hours or more apart"


def _minutes(cadence: str) -> int:
    found = re.fullmatch(r"rate\(([0-9]{1,6}) minutes?\)", cadence)
    return int(found[1]) if found else 0


def _window(case: Case) -> Iterator[Offence]:
    window = case.policy.window
    if window is None:
        return
    if window.opens not in range(_MIDNIGHT):
        yield "window.opens", f"{window.opens} is no hour of a day", "give an hour from 0 to 23, in UTC"
    elif window.hours < 1 or window.opens + window.hours > _MIDNIGHT:
        yield "window.hours", "does not end within the UTC day", "shorten it, or open it earlier"
    unknown = [day for day in window.days if day not in WEEKDAYS]
    if unknown:
        yield "window.days", f"{', '.join(unknown)} is no day", f"use {', '.join(WEEKDAYS)}"
    if len(set(window.days)) < len(window.days):
        yield "window.days", "names a day twice", "name each day once"


def _freezes(case: Case) -> Iterator[Offence]:
    for freeze in case.policy.freezes:
        named = f"{freeze.first} to {freeze.last}"
        if not _readable(freeze):
            yield "freezes", f"{named} are no days", "write both as 2026-12-20, or both as 12-20 for every year"
        elif len(freeze.first) == len("2026-12-20") and freeze.last < freeze.first:
            yield "freezes", f"{named} runs backwards", "name the first day first"
        if not freeze.why.strip():
            yield "freezes", f"{named} does not say why", "say why nothing may start then"


def _readable(freeze: Freeze) -> bool:
    if len(freeze.first) != len(freeze.last):
        return False
    try:
        for text in (freeze.first, freeze.last):
            # a leap year, in which every day of a calendar exists
            date.fromisoformat(text if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else f"2024-{text}")
    except ValueError:
        return False
    return True


def _sound(case: Case) -> bool:
    return not [*_window(case), *(one for one in _freezes(case) if "why" not in one[1])]


def _reachable(case: Case) -> Iterator[Offence]:
    policy = case.policy
    if not (policy.window or policy.freezes) or not _sound(case):
        return
    never = [day for day in _looked_at(case) if earliest_start(policy, day) is None]
    if never:
        yield (
            "window",
            f"a rotation that is due on {never[0]:%Y-%m-%d} can start on no day of the two years after it",
            "shorten the freezes, or open the window on other days",
        )


def _looked_at(case: Case) -> list[datetime]:
    """Today, and the first day of each freeze that is written with its year."""
    dated = [freeze.first for freeze in case.policy.freezes if len(freeze.first) == len("2026-12-20")]
    days = [case.circumstances.today, *(date.fromisoformat(first) for first in dated)]
    return [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in days]


def _often_enough(case: Case) -> Iterator[Offence]:
    window, cadence = case.policy.window, case.policy.cadence
    if not _sound(case):
        return
    try:
        due_s = pause_s(cadence)
    except ValueError:
        return
    closed_s = longest_closed_s(window) if window else 0
    if closed_s >= due_s:
        yield (
            "window",
            f"stays closed for {length(closed_s)}, and {cadence} comes due within {length(due_s)}",
            "open it more often, or rotate less often: a rotation that is due would wait past the next one",
        )
        return
    for freeze, held_s in _held_by_freezes(case):
        if held_s >= due_s:
            yield (
                "freezes",
                f"{freeze.first} to {freeze.last} holds for {held_s // DAY_S} d, and {cadence} comes due sooner",
                "shorten the freeze, rotate less often, or waive this with whoever answers for the longer life",
            )


def _held_by_freezes(case: Case) -> Iterator[tuple[Freeze, int]]:
    """Each freeze, and how long a rotation waits that is due on its first day; a yearly one in the year that comes."""
    for freeze in case.policy.freezes:
        first = freeze.first if len(freeze.first) == len("2026-12-20") else f"{_year_for(case, freeze)}-{freeze.first}"
        due = datetime.combine(date.fromisoformat(first), datetime.min.time(), UTC)
        start = earliest_start(case.policy, due)
        # one that ends in no start at all is an offence of its own
        if start:
            yield freeze, int((start - due).total_seconds())


def _year_for(case: Case, freeze: Freeze) -> int:
    year = case.circumstances.today.year + 1
    # a freeze that begins on the 29th of February is measured in a year that has one
    return year + -year % 4 if freeze.first == "02-29" else year


def longest_closed_s(window: Window) -> int:
    """Seconds of the longest time in a week between the end of a window and its next opening."""
    days = [number for number, day in enumerate(WEEKDAYS) if not window.days or day in window.days]
    ahead = [
        (later - earlier - 1) % len(WEEKDAYS) + 1 for earlier, later in zip(days, [*days[1:], days[0]], strict=True)
    ]
    return max(ahead) * DAY_S - window.hours * HOUR_S


def _native(case: Case) -> Iterator[Offence]:
    policy = case.policy
    if policy.scheduler != "native" or case.store is None:
        return
    if not case.store.rotates_itself:
        yield "scheduler", f"{policy.store} has no schedule that calls Keyturn", "leave it to keyturn"
        return
    held = {"freezes": policy.freezes, "approval": policy.approval, "parent": policy.parent, "group": policy.group}
    for field in (field for field, value in held.items() if value):
        yield field, "is not kept by the store's own schedule", "leave the scheduler to keyturn, or remove it"
    if policy.window and not _same_hour(policy, policy.window):
        yield (
            "window",
            "does not open with the cadence's hour, as the store's own does",
            "open it at that hour, every day",
        )


def _same_hour(policy: Policy, window: Window) -> bool:
    try:
        found = read(policy.cadence)
    except ValueError:
        return True
    return isinstance(found, Cron) and found.hours == (window.opens,) and not window.days


RULES = (
    Rule(
        name="cadence-form",
        says="the cadence is `rate(n hours)`, `rate(n days)` or `cron(0 H dom M dow *)`: minute zero, no year, one `?`",
        find=_form,
    ),
    Rule(
        name="cadence-too-often",
        says="four hours or more lie between two rotations (AWS; Google: an hour; version quota: 14.4 minutes)",
        find=_pause,
    ),
    Rule(name="window-form", says="the window opens on a full hour and ends within the UTC day", find=_window),
    Rule(name="freeze-form", says="a freeze names two days, in order, and why", find=_freezes),
    Rule(name="window-unreachable", says="freezes leave days on which a due rotation can start", find=_reachable),
    Rule(
        name="window-too-rare",
        says="the window opens, and a freeze ends, before the next rotation is due",
        find=_often_enough,
        waivable=True,
    ),
    Rule(
        name="scheduler-native",
        says="a store that keeps the schedule itself exists, and keeps what the policy asks of it",
        find=_native,
    ),
)
