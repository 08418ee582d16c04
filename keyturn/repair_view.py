"""How findings are told: what it is, how that is known, the one safe action with its command, or what would decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Group, RenderableType
from rich.text import Text

from keyturn.console import table
from keyturn.exits import Exit
from keyturn.findings import HEALTHY, RUNNING, Diagnosis, Found
from keyturn.mending import Case
from keyturn.remedies import at, runnable

RUNBOOK = "docs/runbooks/repair.md"


def finding(found: Found, number: int, stack: str) -> RenderableType:
    """Everything that was found about one secret; `number` is the round."""
    again = f" (round {number})" if number > 1 else ""
    lines = [Text(f"{found.secret}{again}", style="bold")]
    for one in found.diagnoses:
        lines += _diagnosis(one, stack)
    if found.action:
        command = f"`keyturn repair {found.secret} --yes --reason WHY{at(stack)}`"
        lines.append(Text(f"  safe action: {found.action.name}: {found.action.says}", style="yellow"))
        lines.append(Text(f"  does it: {command}"))
    if not found.diagnoses:
        lines.append(Text("  nothing is wrong"))
    return Group(*lines)


def _diagnosis(one: Diagnosis, stack: str) -> list[Text]:
    style = "green" if one.kind == HEALTHY else "red"
    lines = [Text(f"  {one.kind}: {one.says}", style=style)]
    lines += [Text(f"    {evidence}") for evidence in one.evidence]
    if one.ask:
        lines.append(Text("    what would decide:"))
        lines += [Text(f"      {runnable(command, stack)}") for command in one.ask]
    if one.kind not in {HEALTHY, RUNNING}:
        lines.append(Text(f"    {RUNBOOK}#{one.kind}", style="dim"))
    return lines


def cases_table(cases: Sequence[Case]) -> RenderableType:
    """One line a secret: how it ended."""
    shown = table("", "credential", "ended", "done", "found")
    for case in cases:
        kinds = ", ".join(one.kind for one in case.found.diagnoses) if case.found else case.message
        actions = ", ".join(_done(one.action, one.ending.outcome if one.ending else "") for one in case.rounds)
        shown.add_row(case.secret, ended(case), actions or "nothing", kinds)
    return shown


def ended(case: Case) -> str:
    """In a word or two."""
    if case.exit is Exit.DONE:
        return "mended" if case.rounds else "healthy"
    return case.reason


def _done(action: str, outcome: str) -> str:
    return f"{action} ({outcome})" if outcome else action


def document(case: Case) -> dict[str, object]:
    """A case for programs."""
    rounds = [{**asdict(one), "ending": asdict(one.ending) if one.ending else None} for one in case.rounds]
    return {
        "secret": case.secret,
        "ended": ended(case),
        "found": case.found,
        "rounds": rounds,
        "reason": case.reason,
        "message": case.message,
        "remedy": case.remedy,
        "exit_code": int(case.exit),
    }
