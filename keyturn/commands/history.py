"""`keyturn history`: the runs of one secret, and one run step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from keyturn import connect
from keyturn.answers import Run, RunInFull, Step
from keyturn.approval_answer import Approval
from keyturn.console import moment, seconds, show, table
from keyturn.exits import Exit
from keyturn.options import AsJson, Name, StackName
from rotation.errors import NotFound

RunId = Annotated[str, typer.Option("--run", help="One run in full: its id, or a beginning of it that only it has.")]


def history(name: Name, run: RunId = "", stack: StackName = "local", as_json: AsJson = False) -> int:
    """List the runs of a secret, or show one of them step by step.

    For example:

        keyturn history payments/postgres

        keyturn history payments/postgres --run 3f2a
    """
    control = connect.control_of(stack)
    runs = control.history(name)
    if not run:
        show(runs_table(name, runs), {"ok": True, "secret": name, "runs": runs}, as_json=as_json)
        return Exit.DONE
    found = control.run(_whole_id(name, run, runs))
    if found is None:
        raise _unknown(name, run)
    show(run_in_full(found), {"ok": True, "run": found}, as_json=as_json)
    return Exit.DONE


def _whole_id(name: str, beginning: str, runs: Sequence[Run]) -> str:
    found = [run.run_id for run in runs if run.run_id.startswith(beginning)]
    if len(found) != 1:
        raise _unknown(name, beginning)
    return found[0]


def _unknown(name: str, run: str) -> NotFound:
    return NotFound(
        "run_unknown",
        f"{name} has no run `{run}`, or more than one that begins so",
        f"`keyturn history {name}` lists its runs",
    )


def runs_table(name: str, runs: Sequence[Run]) -> RenderableType:
    """One line a run, oldest first."""
    if not runs:
        return Text(f"{name} has not been rotated yet: `keyturn plan {name}` says what a rotation would do")
    shown = table("", "run", "machine", "began", "took", "status", "how", "asked by", "reason")
    for run in runs:
        took = seconds(round((run.ended_at - run.started_at).total_seconds(), 1)) if run.ended_at else ""
        failed = f": {', '.join(_failure(run))}" if run.failure else ""
        began = moment(run.started_at)
        how = ", ".join(_how(run))
        shown.add_row(run.run_id, run.machine, began, took, run.status + failed, how, run.requested_by, run.reason)
    return shown


def _how(run: Run) -> list[str]:
    """What is out of the ordinary about a run: urgency, direction, and who went on with it."""
    said = {
        "emergency": run.emergency,
        "break-glass": run.break_glass,
        "without acknowledgements": run.unacknowledged,
        "undo": run.direction == "undo",
        f"taken over {run.takeovers}x": run.takeovers > 0,
        f"by {run.continued_by}: {run.continued_why}": bool(run.continued_by),
        f"clears {run.clear}": bool(run.clear),
    }
    return [word for word, holds in said.items() if holds]


def _failure(run: Run) -> list[str]:
    """Phase, reason and what was behind it, and the steps whose undo failed: what they did is still there."""
    known = [run.failure.get("phase", ""), run.failure.get("reason", "")]
    return known + [f"{name}: {run.failure[name]}" for name in ("cause", "not_undone") if run.failure.get(name)]


def run_in_full(run: RunInFull) -> RenderableType:
    """A run's own lines, then its steps with what they recorded."""
    own = [
        f"run        {run.run_id}",
        f"secret     {run.secret}",
        f"machine    {run.machine}: {run.status} {' '.join(f'{k}={v}' for k, v in run.failure.items())}".rstrip(),
        f"how        {', '.join(_how(run)) or 'as usual'}",
        f"asked by   {run.requested_by or '-'}: {run.reason or '-'}",
        f"policy     {run.policy_digest or '-'}",
        *([f"approval   {_approval(run.approval)}"] if run.approval else []),
        f"execution  {run.execution}",
        "",
    ]
    shown = table("", "phase", "step", "began", "took", "facts", "calls")
    for step in run.steps:
        shown.add_row(step.phase, step.step, moment(step.intent_at), _took(step), _pairs(step.facts), _calls(step))
    return Group(Text("\n".join(own)), shown)


def _approval(approval: Approval) -> str:
    """What became of it, and who said so."""
    by = f" by {approval.by}: {approval.why}" if approval.by else ""
    return approval.waits or f"{approval.status}{by}{f' ({approval.cause})' if approval.cause else ''}"


def _took(step: Step) -> str:
    if step.outcome_at is None:
        return "under way"
    return seconds(round((step.outcome_at - step.intent_at).total_seconds(), 2))


def _pairs(facts: dict[str, str]) -> str:
    return " ".join(f"{name}={text}" for name, text in facts.items() if text)


def _calls(step: Step) -> str:
    return " ".join(f"{kind} {count}" for kind, count in sorted(step.calls.items()))
