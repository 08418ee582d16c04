"""Which way a change of a policy's field goes: one row a field, so that a diff can speak as a reviewer does.

Weaker is what leaves less protection than before against an outage or a misuse: less time to change over, fewer people
who look, wait or agree, more who may read, rarer rotation. What is neither is `changed`, and wants a look. A row takes
plain values as a policy's document has them. Not here: finding what differs (`policy_diff`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from rotation.cadence import pause_s
from rotation.cron_fields import WEEKDAYS

_DAY_HOURS = 24
# In which every day of a calendar exists.
_LEAP_YEAR = 2024


class Direction(StrEnum):
    """Which way a change goes."""

    WEAKER = "weaker"
    STRONGER = "stronger"
    CHANGED = "changed"


Judge = Callable[[Any, Any], Direction]

_TURNED = {
    Direction.WEAKER: Direction.STRONGER,
    Direction.STRONGER: Direction.WEAKER,
    Direction.CHANGED: Direction.CHANGED,
}


def changed(_before: Any, _after: Any) -> Direction:
    """Another, no better and no worse for all that can be told."""
    return Direction.CHANGED


def more(before: Any, after: Any) -> Direction:
    """The more, or the later, the stronger."""
    return Direction.STRONGER if after > before else Direction.WEAKER


def fewer(before: Any, after: Any) -> Direction:
    """The fewer, or the sooner, the stronger."""
    return _TURNED[more(before, after)]


def members(before: Any, after: Any) -> Direction:
    """Any that is gone makes it weaker, whatever else came; each one that is only added makes it stronger."""
    old, new = (set(map(str, side)) for side in (before, after))
    if old == new:
        return Direction.CHANGED
    return Direction.WEAKER if old - new else Direction.STRONGER


def outsiders(before: Any, after: Any) -> Direction:
    """Anybody who is let in makes it weaker, whoever else left; each one that only left makes it stronger."""
    return members(after, before)


def there(before: Any, after: Any) -> Direction:
    """Stronger with it than without; another one is a change."""
    if bool(before) == bool(after):
        return Direction.CHANGED
    return Direction.STRONGER if after else Direction.WEAKER


def exception(before: Any, after: Any) -> Direction:
    """Weaker with it than without."""
    return _TURNED[there(before, after)]


def deadline(before: Any, after: Any) -> Direction:
    """Weaker without one than with; of two the sooner, at which somebody is told, is the stronger."""
    return fewer(before, after) if before and after else there(before, after)


def days(before: Any, after: Any) -> Direction:
    """The fewer days a person has until it is overdue, the stronger."""
    try:
        return fewer(int(before), int(after))
    except (TypeError, ValueError):
        # of another type of credential, or no number: the lint says so
        return Direction.CHANGED


def away_from(good: str) -> Judge:
    """A judge for which one word is the strong one."""

    def judge(before: Any, after: Any) -> Direction:
        if good not in (before, after):
            return Direction.CHANGED
        return Direction.STRONGER if after == good else Direction.WEAKER

    judge.__doc__ = f"Stronger as `{good}`, weaker as anything else."
    return judge


def unless(bad: str) -> Judge:
    """A judge for which one word is the weak one, and none at all is as good as any other."""

    def judge(before: Any, after: Any) -> Direction:
        if bad not in (before, after):
            return Direction.CHANGED
        return Direction.WEAKER if after == bad else Direction.STRONGER

    judge.__doc__ = f"Weaker as `{bad}`, stronger as anything else."
    return judge


def cadence(before: Any, after: Any) -> Direction:
    """The more often, the stronger."""
    try:
        old, new = pause_s(before), pause_s(after)
    except ValueError:
        return Direction.CHANGED
    return Direction.CHANGED if old == new else fewer(old, new)


def window(before: Any, after: Any) -> Direction:
    """The fewer hours of a week in which something may start by itself, the stronger."""
    old, new = _open(before), _open(after)
    # another hour instead of one is no weaker
    return Direction.CHANGED if old - new and new - old else outsiders(old, new)


def _open(found: Any) -> set[tuple[str, int]]:
    if not found:
        return {(day, hour) for day in WEEKDAYS for hour in range(_DAY_HOURS)}
    hours = range(found["opens"], found["opens"] + found["hours"])
    return {(day, hour) for day in found["days"] or WEEKDAYS for hour in hours}


def frozen(before: Any, after: Any) -> Direction:
    """Any day less on which nothing starts makes it weaker; the same days said anew are a change."""
    try:
        return members(_frozen(before), _frozen(after))
    except ValueError:
        # a revision whose days were none
        return Direction.CHANGED


def _frozen(found: Any) -> set[str]:
    """Days of freezes: those of every year by month and day, the others by their date."""
    days: set[str] = set()
    for freeze in found:
        first, last = freeze["first"], freeze["last"]
        yearly = len(first) < len("2026-12-20")
        day, end = (date.fromisoformat(f"{_LEAP_YEAR}-{text}" if yearly else text) for text in (first, last))
        if yearly and end < day:
            end = end.replace(year=_LEAP_YEAR + 1)
        while day <= end:
            days.add(f"{day:%m-%d}" if yearly else f"{day}")
            day += timedelta(days=1)
    return days


# What tells one from another: a change of it is one that is gone and one that is new.
IDENTITIES = frozenset({"name", "consumers.name", "waivers.rule"})

DIRECTIONS: Mapping[str, Judge] = {
    "policy": there,
    "store": changed,
    "path": changed,
    "credential": changed,
    "cadence": cadence,
    "window": window,
    "freezes": frozen,
    "approval": there,
    "approval.approvers": outsiders,
    "approval.expires_s": fewer,
    "warm_up_s": more,
    "overlap_s": more,
    "target.facts": changed,
    # anything but `off` verifies the server
    "target.facts.tls": unless("off"),
    "target.facts.due_days": days,
    "target.authority": changed,
    "readers": outsiders,
    "consumers": there,
    "consumers.kind": away_from("client"),
    "consumers.lead_s": more,
    "consumers.role": changed,
    "invalidate": members,
    "acknowledge_s": deadline,
    "group": there,
    "parent": there,
    "on_outside_change": away_from("alarm"),
    "triggers": members,
    "scheduler": away_from("keyturn"),
    "owner": changed,
    "runbook": changed,
    "waivers": exception,
    "waivers.why": changed,
    "waivers.owner": changed,
    "waivers.expires": fewer,
}
