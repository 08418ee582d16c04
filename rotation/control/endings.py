"""The last phases of the machines: the ledger's record of how a run ended, and what follows from it at once.

Not here: what the record says (`records`).
"""

from __future__ import annotations

from collections.abc import Mapping

from rotation.control import records
from rotation.control.asked import BREAK_GLASS, Asked
from rotation.control.desk import Desk
from rotation.control.signals import Finding
from rotation.control.starts import start_due
from rotation.errors import NotFound
from rotation.invocation import Answer
from rotation.ledger.records import Run


def end_run(desk: Desk, run_id: str) -> Answer:
    """The run is done. An overlap of zero, which an emergency has, is ended at once; the sweep would do it too."""
    answer = records.record(desk.ledger, run_id)
    run, steps = desk.ledger.run(run_id)
    if run.emergency:
        start_due(desk, run.secret, BREAK_GLASS if run.break_glass else "")
    proof = steps["prove"].facts if "prove" in steps else {}
    if proof.get("proof") == "unproven" and run.status == "succeeded":
        # nobody will look again: a person has to
        desk.signals.tell(Finding.OLD_ALIVE)
    return answer


def fail_run(desk: Desk, asked: Asked, failure: Mapping[str, str]) -> Answer:
    """The run failed; what nobody may sleep through is told."""
    answer = records.record_failure(desk.ledger, asked, failure)
    run = _run(desk, asked)
    if run is not None and run.failure.get("reason") == "old_alive":
        desk.signals.tell(Finding.OLD_ALIVE)
    if run is not None and run.status == "stuck":
        desk.signals.tell(Finding.STUCK)
    return answer


def halt_run(desk: Desk, asked: Asked, failure: Mapping[str, str]) -> Answer:
    """A switch stopped the run."""
    answer = records.record_halt(desk.ledger, asked, failure)
    run = _run(desk, asked)
    if run is not None and run.status == "halted":
        desk.signals.tell(Finding.HALTED)
    return answer


def _run(desk: Desk, asked: Asked) -> Run | None:
    try:
        return desk.ledger.run(asked.run_id)[0]
    except NotFound:
        return None
