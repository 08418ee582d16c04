"""Consumers that have not been told are told again: by the sweep as rows come due, or by a person at once.

Control has no channel: a store's function sends and notes in the ledger's outbox what became of it. The sweep does not
wait for that, so that a broker that is down holds up nothing else; a person does, a few events at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rotation.control.desk import Desk
from rotation.control.signals import Finding
from rotation.errors import KeyturnError, Throttled, Unavailable
from rotation.ledger.outbox import Undelivered
from rotation.phases import TELLING

# A person waits: each takes up to five seconds where a channel is down, and the endpoint gives up after half a minute.
AT_ONCE = 5


def tell_again(desk: Desk) -> list[str]:
    """Ask for everything that came due; returns the secrets. What was sent again in vain before is a finding."""
    asked = []
    for one in desk.ledger.outbox.due(desk.ledger.now()):
        if desk.ledger.switchboard.stopped(one.secret):
            continue
        if one.attempts:
            desk.signals.tell(Finding.UNDELIVERED)
        try:
            desk.functions.send_again(_function(desk, one), one.run_id, one.step, wait=False)
        except (Throttled, Unavailable):
            raise
        except KeyturnError:
            # a policy that is gone, or its function: told as a finding until somebody has looked
            desk.signals.tell(Finding.UNDELIVERED)
            continue
        asked.append(one.secret)
    return asked


def undelivered(desk: Desk, secrets: list[str]) -> list[dict[str, Any]]:
    """What consumers have not been told, of the secrets or of all: `{secret, run_id, step, due_at, attempts}` each.

    due_at: when the sweep sends it again. attempts: how often it was sent again in vain. Refused `unknown_secret`.
    """
    outbox = desk.ledger.outbox
    if not secrets:
        return [asdict(one) for one in outbox.waiting()]
    return [asdict(one) for name in secrets for one in outbox.of(desk.catalogue.policy(name).name)]


def replay(desk: Desk, secrets: list[str], since: str, after: str = "") -> dict[str, Any]:
    """Send again now what is undelivered, and with `since` (ISO 8601) everything that runs told from then on.

    secrets: which, all when empty. Answers `{sent: [{secret, run_id, step, outcome, reason}], left, next}`; `left`
    counts what was not tried, because a person waits: ask again for it with `next` as `after`.
    """
    named = sorted(set(secrets)) or desk.catalogue.names()
    wanted = _later([one for name in named for one in _of(desk, name, since)], after)
    now, left = wanted[:AT_ONCE], len(wanted[AT_ONCE:])
    return {"sent": [_sent(desk, one) for one in now], "left": left, "next": _place(now[-1]) if left else ""}


def _place(one: Undelivered) -> str:
    return f"{one.secret} {one.run_id} {one.step}"


def _later(wanted: Sequence[Undelivered], after: str) -> Sequence[Undelivered]:
    """What comes behind a place; of the place's secret everything where it was delivered meanwhile, and is gone."""
    places = [_place(one) for one in wanted]
    if after in places:
        return wanted[places.index(after) + 1 :]
    return [one for one in wanted if one.secret >= after.partition(" ")[0]]


def _of(desk: Desk, secret: str, since: str) -> list[Undelivered]:
    name = desk.catalogue.policy(secret).name
    found = desk.ledger.outbox.of(name)
    known = {(one.run_id, one.step) for one in found}
    for run in desk.ledger.history(name) if since else []:
        if run.started_at < since:
            continue
        _, steps = desk.ledger.run(run.run_id)
        told = sorted((s for s in steps.values() if s.step in TELLING), key=lambda s: s.intent_at)
        found += [
            Undelivered(secret=name, run_id=run.run_id, step=step.step, due_at="")
            for step in told
            if (run.run_id, step.step) not in known
        ]
    return found


def _sent(desk: Desk, one: Undelivered) -> dict[str, str]:
    about = {"secret": one.secret, "run_id": one.run_id, "step": one.step}
    try:
        answer = desk.functions.send_again(_function(desk, one), one.run_id, one.step, wait=True)
    except KeyturnError as exc:
        return {**about, "outcome": "failed", "reason": exc.reason}
    return {**about, "outcome": answer["outcome"], "reason": answer["reason"]}


def _function(desk: Desk, one: Undelivered) -> str:
    """The version that is live: the run's own may be gone by now."""
    run, _ = desk.ledger.run(one.run_id)
    return desk.functions.pin(desk.catalogue.policy(run.secret).store, one.run_id)
