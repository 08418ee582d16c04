"""The last phases of the machines: the ledger's record of how a run ended, and what follows from it at once.

Not here: what the record says (`records`).
"""

from __future__ import annotations

from collections.abc import Mapping

from rotation.control import records
from rotation.control.asked import BREAK_GLASS, EMERGENCY, Asked
from rotation.control.desk import Desk
from rotation.control.settling import settle
from rotation.control.signals import Finding
from rotation.control.starts import execution_name, start_due
from rotation.errors import Conflict, NotFound
from rotation.invocation import Answer
from rotation.ledger.records import Run

# What a proof may say of an old credential that was to be dead.
_NOT_DEAD = ("alive", "unproven")


def end_run(desk: Desk, run_id: str) -> Answer:
    """The run is done. An overlap of zero, which an emergency has, is ended at once; the sweep would do it too.

    A retirement in an emergency was in the way of the rotation that was asked for: that is started now.
    """
    answer = records.record(desk.ledger, run_id)
    settle(desk, run_id)
    run, steps = desk.ledger.run(run_id)
    if run.emergency and run.machine == "retire":
        _rotate_after(desk, run)
    elif run.emergency:
        start_due(desk, run.secret)
    # where the store replaces a credential in one, the proof came with the promotion
    proof = next((steps[name].facts for name in ("prove", "promote") if name in steps), {})
    if proof.get("proof") in _NOT_DEAD and run.status == "succeeded":
        # nobody will look again: a person has to
        desk.signals.tell(Finding.OLD_ALIVE)
    return answer


def _rotate_after(desk: Desk, run: Run) -> None:
    """Once, however often the phase is entered: the execution's name is of the retirement."""
    flags = f"{EMERGENCY} {BREAK_GLASS}" if run.break_glass else EMERGENCY
    given = {"secret": run.secret, "reason": run.reason, "requested_by": run.requested_by, "resume": "", "flags": flags}
    try:
        desk.machines.start("rotate", execution_name("rotate", run.secret, f"after {run.run_id}"), given)
    except Conflict:
        # an earlier invocation of this phase did it
        return


def fail_run(desk: Desk, asked: Asked, failure: Mapping[str, str]) -> Answer:
    """The run failed; what nobody may sleep through is told."""
    answer = records.record_failure(desk.ledger, asked, failure)
    settle(desk, asked.run_id)
    run = _run(desk, asked)
    if run is not None and run.failure.get("reason") == "old_alive":
        desk.signals.tell(Finding.OLD_ALIVE)
    if run is not None and run.status == "stuck":
        desk.signals.tell(Finding.STUCK)
    return answer


def halt_run(desk: Desk, asked: Asked, failure: Mapping[str, str]) -> Answer:
    """A switch stopped the run."""
    answer = records.record_halt(desk.ledger, asked, failure)
    settle(desk, asked.run_id)
    run = _run(desk, asked)
    if run is not None and run.status == "halted":
        desk.signals.tell(Finding.HALTED)
    return answer


def _run(desk: Desk, asked: Asked) -> Run | None:
    try:
        return desk.ledger.run(asked.run_id)[0]
    except NotFound:
        return None
