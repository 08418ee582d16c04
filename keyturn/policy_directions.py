"""Which way a change of a policy's field goes: one row a field, so that a diff can speak as a reviewer does.

Weaker is what leaves less protection than before against an outage or a misuse: less time to change over, fewer people
who look, wait or agree, more who may read, rarer rotation. What is neither is `changed`, and wants a look. A row takes
plain values as a policy's document has them. Not here: finding what differs (`policy_diff`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from rotation.cadence import pause_s
from rotation.cron_fields import WEEKDAYS

_DAY_HOURS = 24


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
    """Each one that is added makes it stronger; another instead of one is a change."""
    old, new = (set(map(str, side)) for side in (before, after))
    if old == new or not (old < new or new < old):
        return Direction.CHANGED
    return Direction.STRONGER if old < new else Direction.WEAKER


def outsiders(before: Any, after: Any) -> Direction:
    """Each one that is added makes it weaker."""
    return _TURNED[members(before, after)]


def there(before: Any, after: Any) -> Direction:
    """Stronger with it than without; another one is a change."""
    if bool(before) == bool(after):
        return Direction.CHANGED
    return Direction.STRONGER if after else Direction.WEAKER


def exception(before: Any, after: Any) -> Direction:
    """Weaker with it than without."""
    return _TURNED[there(before, after)]


def away_from(good: str) -> Judge:
    """A judge for which one word is the strong one."""

    def judge(before: Any, after: Any) -> Direction:
        if good not in (before, after):
            return Direction.CHANGED
        return Direction.STRONGER if after == good else Direction.WEAKER

    judge.__doc__ = f"Stronger as `{good}`, weaker as anything else."
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
    return outsiders(_open(before), _open(after))


def _open(found: Any) -> set[tuple[str, int]]:
    if not found:
        return {(day, hour) for day in WEEKDAYS for hour in range(_DAY_HOURS)}
    hours = range(found["opens"], found["opens"] + found["hours"])
    return {(day, hour) for day in found["days"] or WEEKDAYS for hour in hours}


# What tells one from another: a change of it is one that is gone and one that is new.
IDENTITIES = frozenset({"name", "consumers.name", "waivers.rule"})

DIRECTIONS: Mapping[str, Judge] = {
    "policy": there,
    "store": changed,
    "path": changed,
    "credential": changed,
    "cadence": cadence,
    "window": window,
    "freezes": members,
    "approval": there,
    "approval.approvers": outsiders,
    "approval.expires_s": fewer,
    "warm_up_s": more,
    "overlap_s": more,
    "target.facts": changed,
    "target.authority": changed,
    "readers": outsiders,
    "consumers": there,
    "consumers.kind": away_from("client"),
    "consumers.lead_s": more,
    "consumers.role": changed,
    "invalidate": members,
    "acknowledge_s": more,
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
