"""A version that somebody else made current: found by an event or by the sweep, adopted or alarmed as the policy says.

An event is only a reason to look: what store and target show, and what the ledger knows, decide, by the same diagnosis
as a person's repair. Adopting is that repair's one safe action; where it has none, or another one, or a switch is on,
somebody is told instead, by the sweep again and again until the secret is well.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from rotation.control import repair
from rotation.control.desk import RUN_ID_CHARS, Desk
from rotation.control.signals import Finding
from rotation.errors import KeyturnError, Refused
from rotation.ledger.records import Head
from rotation.pointing import Pointed
from rotation.policy import Policy

ADOPT = "adopt"
_CLEAR = "clear"
# The diagnosis that this is about.
_MOVED = "label_moved"
WHO: Mapping[str, str] = {"reason": "the policy adopts what somebody else made current", "requested_by": "sweep"}
# Secrets that one sweep looks at: each is a call of a function that reads one description, 0.1 to 0.3 s.
SECRETS_PER_SWEEP = 12
# What a sweep spends on it: it has a minute, of which starts come first, and the last call may take 24 s more.
_LONGEST_S = 10.0
# Google: an alias shows within minutes, and "may take hours" (consistency notes); a day is above any that was told of.
_LONGEST_LAG = timedelta(days=1)
# A day has few rotations; more of them only lead further back.
_RUNS_LOOKED_AT = 10
_LOG = logging.getLogger("keyturn")


def look(desk: Desk, secret: str, who: Mapping[str, str] = WHO) -> str:
    """Look at one secret: `adopted`, `alarmed`, `busy`, or `unchanged` where readers get what the ledger knows.

    who: `{reason, requested_by}` of whoever adopts. Raises as catalogue and ledger, and as the store's function.
    """
    policy = desk.catalogue.policy(secret)
    return _judged(desk, policy, who) if _differs(desk, policy, _pointed(desk, policy)) else "unchanged"


def _pointed(desk: Desk, policy: Policy) -> Pointed:
    """What the store's own pointer gives to readers."""
    drawn = hashlib.sha256(f"point {policy.name} {desk.ledger.now()}".encode()).hexdigest()[:RUN_ID_CHARS]
    return desk.functions.point(desk.functions.pin(policy.store, drawn), policy.name)


def _differs(desk: Desk, policy: Policy, pointed: Pointed) -> bool:
    """Whether it is neither what the ledger knows nor what a pointer that lags may still show."""
    head = desk.ledger.head(policy.name)
    if head.run_id or head.current is None or pointed["current"] in ("", head.current.id):
        return False
    return not (pointed["lags"] and _may_lag(desk, head, pointed["current"]))


def _may_lag(desk: Desk, head: Head, shown: str) -> bool:
    """Whether Keyturn itself moved readers away from this version, and so lately that the pointer may not show it."""
    runs = [run for run in desk.ledger.history(head.secret)[-_RUNS_LOOKED_AT:] if run.ended_at]
    ways = [way for way in (head.overlap, head.retired) if way is not None]
    left = {way.old.id for way in ways} | {run.current.id for run in runs if run.current}
    until = datetime.fromisoformat(desk.ledger.now()) - _LONGEST_LAG
    return shown in left and any(datetime.fromisoformat(run.ended_at) > until for run in runs)


def _judged(desk: Desk, policy: Policy, who: Mapping[str, str]) -> str:
    seen = repair.diagnose(desk, policy.name)
    first = seen["diagnoses"][0]
    if first["kind"] != _MOVED:
        return "unchanged"
    safe = (first["action"] or {}).get("name") == ADOPT
    if policy.on_outside_change == ADOPT and safe and not desk.ledger.switchboard.stopped(policy.name):
        return _adopted(desk, policy.name, seen["digest"], who)
    _LOG.error("somebody else changed which version readers get", extra={"fields": {"policy": policy.name}})
    desk.signals.tell(Finding.OUTSIDE_CHANGE)
    return "alarmed"


def _adopted(desk: Desk, name: str, digest: str, who: Mapping[str, str]) -> str:
    before = desk.ledger.head(name).current
    try:
        repair.mend(desk, name, digest, who)
        _LOG.warning("adopted what somebody else made current", extra={"fields": {"policy": name}})
        _cleared(desk, name, before.id if before else "", who)
    except Refused as exc:
        if exc.reason != "diagnosis_changed":
            raise
        # a run or a person is at it: the sweep looks again when that has ended
        return "busy"
    return "adopted"


def _cleared(desk: Desk, name: str, before: str, who: Mapping[str, str]) -> None:
    """AWS leaves its pending label on a version that was promoted: off the one before, or no rotation may begin."""
    seen = repair.diagnose(desk, name)
    first = seen["diagnoses"][0]
    if (first["action"] or {}).get("name") == _CLEAR and first["subject"] == before:
        repair.mend(desk, name, seen["digest"], who)


def look_around(desk: Desk, spent: Callable[[], float] = time.monotonic) -> list[str]:
    """The sweep's look at the next few secrets; those whose store shows another version than the ledger knows.

    spent: seconds, of which only differences count.
    """
    begun = spent()
    names = desk.catalogue.some(desk.ledger.surveyed.after(), SECRETS_PER_SWEEP)
    found, looked_at = [], 0
    for name in names:
        if spent() - begun > _LONGEST_S:
            break
        looked_at += 1
        if _alone(desk, name):
            found.append(name)
    # fewer than were asked for: the end of the catalogue, and the next look begins anew
    whole = looked_at == len(names) < SECRETS_PER_SWEEP
    if looked_at or whole:
        desk.ledger.surveyed.come_to("" if whole else names[looked_at - 1])
    return found


def _alone(desk: Desk, name: str) -> bool:
    """One secret that cannot be looked at hides no other; the ledger's trouble is raised."""
    head = desk.ledger.head(name)
    if head.run_id or head.current is None:
        return False
    try:
        policy = desk.catalogue.policy(name)
        pointed = _pointed(desk, policy)
    except KeyturnError as exc:
        # its own runs, plans and repairs say what is wrong
        _LOG.warning("not looked at", extra={"fields": {"policy": name, "reason": exc.reason}})
        return False
    return _differs(desk, policy, pointed) and _judged(desk, policy, WHO) != "unchanged"
