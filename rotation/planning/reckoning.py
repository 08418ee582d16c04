"""From a policy to the next start of its rotation, and what becomes of a due row when a run of it ends.

Pure: rows in, rows out. A rotation that missed its window rolls forward to the next one and keeps `since`, so that it
shows as overdue. Overlap is not looked at: a policy's is shorter than its interval, and the sweep holds what is early.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from rotation.due_times import due_after, earliest_start
from rotation.ledger.due import Due
from rotation.ledger.moments import timestamp
from rotation.planning.spread import anchor, first_anchor, jitter
from rotation.policy import Policy

# A failed run is tried again after this, doubled each time: the first failure is often an outage of minutes.
_FIRST_PAUSE = timedelta(minutes=15)
# Four times a day is often enough for what a person has to mend.
_LONGEST_PAUSE = timedelta(hours=6)
# More doublings would only make large numbers of what the longest pause cuts off anyway.
_DOUBLINGS = 8
# A policy without a window is looked at anew after a day: a freeze may have begun.
_DAY = timedelta(days=1)


def reckoned(due: Due, policy: Policy, now: str) -> Due:
    """The row with the times of its next start, by the policy as it is now. ValueError for a cadence that is none."""
    moment = datetime.fromisoformat(now)
    counted = datetime.fromisoformat(due.anchor) if due.anchor else first_anchor(policy.name, policy.cadence, moment)
    calm = replace(due, flags="", reason="", requested_by="", asked_at="")
    made = replace(described(calm, policy), anchor=timestamp(counted))
    nominal = due_after(policy.cadence, counted, counted)
    first = _start(policy, nominal)
    if first is None:
        # never reachable: it shows as overdue until the policy is mended
        return replace(made, since=timestamp(nominal), due_at=max(timestamp(nominal), now), closes=_after_a_day(moment))
    start = first if moment < first[1] else _start(policy, moment, missed=True) or first
    return replace(made, since=timestamp(first[0]), due_at=timestamp(start[0]), closes=timestamp(start[1]))


def described(due: Due, policy: Policy) -> Due:
    """The row with what the plan needs of the policy beside its times."""
    return replace(due, digest=policy.digest(), store=policy.store, group=policy.group, parent=policy.parent)


def _start(policy: Policy, due: datetime, *, missed: bool = False) -> tuple[datetime, datetime] | None:
    """When the rotation starts that is due then, and until when it may; None when it never may."""
    opens = earliest_start(policy, due)
    if opens is None:
        return None
    closes = _closes(policy, opens)
    # one that missed its place and may start now has waited long enough
    at_once = missed and opens == due
    wait = timedelta() if at_once else jitter(policy.name, policy.cadence, closes - opens)
    return opens + wait, closes


def _closes(policy: Policy, opens: datetime) -> datetime:
    """The end of the time in which starts are allowed; windows end within a day, freezes begin with one."""
    midnight = _midnight(opens)
    if policy.window is not None:
        return midnight + timedelta(hours=policy.window.opens + policy.window.hours)
    tomorrow = midnight + _DAY
    return opens + _DAY if earliest_start(policy, tomorrow) == tomorrow else tomorrow


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _after_a_day(moment: datetime) -> str:
    return timestamp(moment + _DAY)


def begun(due: Due, name: str, now: str, look_after: timedelta) -> Due:
    """The row of a rotation that is about to be started under `name`; it is looked at again after a while."""
    again = timestamp(datetime.fromisoformat(now) + look_after)
    return replace(due, name=name, execution="", started_at=now, attempt=due.attempt + 1, due_at=again)


def succeeded(due: Due, policy: Policy, started_at: str, now: str) -> Due:
    """The row after a rotation that began at `started_at`: the next one is reckoned from there."""
    counted = timestamp(anchor(policy.cadence, datetime.fromisoformat(started_at)))
    ended = replace(_ended(due), failures=0, cause="", not_before="", anchor=counted)
    if due.urgent and started_at < due.asked_at:
        # what leaked may be what this run has made
        return replace(ended, due_at=now)
    return reckoned(ended, policy, now)


def failed(due: Due, cause: str, now: str) -> Due:
    """The row after a run that did not change the credential: due as before, after a pause."""
    failures = due.failures + 1
    pause = min(_FIRST_PAUSE * 2 ** min(failures - 1, _DOUBLINGS), _LONGEST_PAUSE)
    until = timestamp(datetime.fromisoformat(now) + pause)
    return replace(_ended(due), failures=failures, cause=cause, not_before=until, due_at=min(due.since or now, now))


def _ended(due: Due) -> Due:
    return replace(due, name="", execution="", started_at="")


def overdue_s(due: Due, now: str) -> float:
    """Seconds since the rotation may have started first, or people asked for it; 0.0 for one in the future.

    One that is under way counts like any other: what does not end has not rotated anything.
    """
    begins = [moment for moment in (due.since, due.asked_at) if moment]
    return passed_s(min(begins), now) if begins else 0.0


def passed_s(since: str, now: str) -> float:
    """Seconds from one time to another, 0.0 where the first is the later one."""
    return max(0.0, (datetime.fromisoformat(now) - datetime.fromisoformat(since)).total_seconds())
