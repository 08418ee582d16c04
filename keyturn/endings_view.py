"""How the ends of runs are shown: one line a run, then what is left to do, on standard error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rich.console import RenderableType

from keyturn.console import err, show, table
from keyturn.errand import Ending
from keyturn.exits import Exit, worst
from keyturn.failures import first_failure

# Enough of a run's id to tell it from its neighbours; the whole is in `--json`.
_RUN_CHARS = 8


def endings_table(endings: Sequence[Ending]) -> RenderableType:
    """The ends for people."""
    shown = table("", "credential", "machine", "run", "phases (seconds)", "outcome", "proof")
    for one in endings:
        phases = "  ".join(f"{time.phase} {time.seconds:.2f}" for time in one.phases)
        outcome = f"{one.outcome}: {one.reason}" if one.reason else one.outcome
        shown.add_row(
            one.secret, one.machine, one.run_id[:_RUN_CHARS] or "-", phases, outcome, one.proof or one.message
        )
    return shown


def show_endings(endings: Sequence[Ending], note: str, more: Mapping[str, object], *, as_json: bool) -> Exit:
    """Show the ends, what is left to do, and a note; `more` goes into the document. The exit code of them all."""
    code = worst([one.exit for one in endings])
    runs = [asdict(one) for one in endings]
    whole = {"ok": code is Exit.DONE, **more, "runs": runs, "note": note, **first_failure(endings)}
    show(endings_table(endings), whole, as_json=as_json)
    if note:
        err().print(note)
    for one in endings:
        if one.remedy:
            err().print(f"next for {one.secret}: {one.remedy}")
    return code


def show_started(secret: str, machine: str, run_id: str, execution: str, *, as_json: bool) -> Exit:
    """Say that a run was started and how to look at it; nothing more is known of it."""
    started = {"secret": secret, "machine": machine, "run_id": run_id, "execution": execution}
    told = f"{secret}  {machine} {run_id} started: `keyturn history {secret} --run {run_id}` shows it"
    show(told, {"ok": True, "started": [started]}, as_json=as_json)
    return Exit.DONE
