"""Which function answers which phase of a machine, and which verb of a person: the two tables of the control function.

Phases come from machines and answer data. Verbs come from people through the endpoint, which puts the verified caller
into `requested_by` and the permission to break glass into `break_glass`, whatever the body says of either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rotation.control import answering, approvals, awaited, brakes, claims, endings, evidence, repair, verbs
from rotation.control.acknowledge import acknowledge
from rotation.control.agreed import agreed_in
from rotation.control.asked import BREAK_GLASS, EMERGENCY, UNACKNOWLEDGED, Asked, asked_in
from rotation.control.consumers import consumers
from rotation.control.desk import Desk
from rotation.control.emergency import emergency
from rotation.control.preflight import preflight
from rotation.control.replay import replay, undelivered
from rotation.control.sweep import sweep
from rotation.event_fields import flag, mapping, number, text, texts

Event = Mapping[str, Any]
Action = Callable[[Desk, Event], Any]

PHASES: dict[str, Action] = {
    "claim": lambda desk, e: claims.claim(desk, asked_in(e)),
    "approve": lambda desk, e: approvals.ask(desk, text(e, "execution"), text(e, "run_id"), text(e, "token")),
    "gate": lambda desk, e: claims.gate(desk, asked_in(e)),
    "acknowledge": lambda desk, e: awaited.gate(desk, text(e, "run_id")),
    "claim_rollback": lambda desk, e: claims.claim_rollback(desk, asked_in(e)),
    "claim_repair": lambda desk, e: claims.claim_repair(desk, asked_in(e)),
    "record": lambda desk, e: endings.end_run(desk, text(e, "run_id")),
    "record_failure": lambda desk, e: endings.fail_run(desk, *_ended(e)),
    "record_halt": lambda desk, e: endings.halt_run(desk, *_ended(e)),
    "sweep": lambda desk, e: sweep(desk, str(e.get("begun") or "")),
}

VERBS: dict[str, Action] = {
    "rotate": lambda desk, e: verbs.rotate(desk, text(e, "secret"), _who(e), _flags(e)),
    # an emergency retirement starts a rotation, which is a permission of its own: only `rotate` asks for one
    "retire": lambda desk, e: verbs.retire(desk, text(e, "secret"), _who(e), _flags(e, BREAK_GLASS)),
    "overlap_close": lambda desk, e: verbs.overlap_close(desk, text(e, "secret"), _who(e), _closing(e)),
    "overlap_extend": lambda desk, e: verbs.overlap_extend(desk, text(e, "secret"), _who(e), number(e, "seconds")),
    "rollback": lambda desk, e: verbs.rollback(desk, text(e, "secret"), _who(e), _flags(e), agreed_in(e)),
    "resume": lambda desk, e: verbs.resume(desk, text(e, "run_id"), _who(e), _flags(e)),
    "mend": lambda desk, e: repair.mend(desk, text(e, "secret"), text(e, "digest"), _who(e)),
    "engage": lambda desk, e: brakes.engage(desk, _who(e)),
    "release": lambda desk, e: brakes.release(desk, _who(e)),
    "report_only": lambda desk, e: brakes.report_only(desk, _who(e), on=flag(e, "on")),
    "emergency": lambda desk, e: emergency(desk, mapping(e, "scope"), _who(e), break_glass=e.get(BREAK_GLASS) is True),
    "freeze": lambda desk, e: brakes.freeze(desk, _who(e), texts(e, "secrets"), text(e, "until")),
    "unfreeze": lambda desk, e: brakes.unfreeze(desk, _who(e), texts(e, "secrets")),
    "replay": lambda desk, e: replay(desk, texts(e, "secrets"), str(e.get("since") or ""), str(e.get("after") or "")),
    "undelivered": lambda desk, e: undelivered(desk, texts(e, "secrets")),
    "approvals": lambda desk, _: approvals.listed(desk),
    "approve": lambda desk, e: answering.approve(desk, text(e, "run_id"), _who(e)),
    "deny": lambda desk, e: answering.deny(desk, text(e, "run_id"), _who(e)),
    "reminders": lambda desk, _: approvals.reminded(desk),
    "reminder_done": lambda desk, e: evidence.done(desk, text(e, "secret"), text(e, "version"), _who(e)),
    "switch": lambda desk, _: brakes.show(desk),
    "probe": lambda desk, e: preflight(desk, text(e, "secret")),
    "acknowledge": lambda desk, e: acknowledge(desk, e, text(e, "requested_by")),
    "consumers": lambda desk, e: consumers(desk, text(e, "secret")),
    "diagnose": lambda desk, e: repair.diagnose(desk, text(e, "secret")),
    "status": lambda desk, e: verbs.status(desk, texts(e, "secrets")),
    "history": lambda desk, e: verbs.history(desk, text(e, "secret")),
    "run": lambda desk, e: verbs.run(desk, text(e, "run_id")),
}


def _who(event: Event) -> dict[str, str]:
    return {"reason": text(event, "reason"), "requested_by": text(event, "requested_by")}


def _flags(event: Event, *known: str) -> str:
    return " ".join(name for name in known or (EMERGENCY, BREAK_GLASS) if event.get(name) is True)


def _closing(event: Event) -> str:
    return _flags(event, BREAK_GLASS, UNACKNOWLEDGED)


def _ended(event: Event) -> tuple[Asked, dict[str, str]]:
    """What the machine was asked, and the failure: what the last phases are given."""
    failure = mapping(event, "failure")
    cause = {"cause": text(failure, "cause")} if failure.get("cause") else {}
    return asked_in(event), {"phase": text(failure, "phase"), "reason": text(failure, "reason"), **cause}
