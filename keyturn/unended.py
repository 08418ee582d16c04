"""Runs that hold their claim and do not go on by themselves: halted by a switch, without their execution, or stuck.

Looked for where a secret is claimed only: a claim's run is asked for by its id, because a run that was refused
meanwhile is the last one in the history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keyturn.answers import RunInFull, Standing
from keyturn.control import Control
from keyturn.remedies import About, filled, go_on

# What Step Functions calls its executions; a claim of AWS's own rotation has an owner of another kind.
_EXECUTIONS = "arn:"


@dataclass(frozen=True, kw_only=True)
class Unended:
    """One such run. lost: its execution is gone and nobody halted it; the sweep goes on with it, or `repair`."""

    secret: str
    run: RunInFull
    lost: bool = False

    @property
    def words(self) -> str:
        """The same in two or three words."""
        if self.run.halted:
            return "is halted"
        return "could not be undone" if self.run.stuck else "lost its execution"

    @property
    def says(self) -> str:
        """What is the matter with it."""
        run = self.run
        if run.stuck:
            return f"run {run.run_id} ({run.machine}) could not be undone ({run.failure.get('not_undone', '')})"
        if self.lost:
            return f"run {run.run_id} ({run.machine}) lost its execution"
        return f"run {run.run_id} ({run.machine}) is halted ({run.stopped_by or 'no reason recorded'})"

    def next_step(self, stack: str) -> str:
        """The commands that go on."""
        if self.lost:
            said = "the sweep goes on with it; `keyturn repair {name}{at}` says what to do before"
            return filled(said, About(secret=self.secret, stack=stack))
        return go_on(About(secret=self.secret, run_id=self.run.run_id, stack=stack, way_out=self.run.way_out))


def unended(control: Control, standings: Sequence[Standing]) -> list[Unended]:
    """The runs of these secrets that do not go on by themselves. Reads only."""
    return [found for standing in standings if (found := _unended(control, standing))]


def _unended(control: Control, standing: Standing) -> Unended | None:
    run = control.run(standing.head.run_id) if standing.head.run_id else None
    if run is None or not (run.halted or run.stuck or run.running):
        return None
    if run.halted:
        return Unended(secret=standing.secret, run=run)
    return None if works(control, standing.head.execution) else Unended(secret=standing.secret, run=run, lost=True)


def works(control: Control, execution: str) -> bool:
    """Whether the owner of a claim may still do something. AWS's own rotation is no execution: it is left in peace."""
    return not execution.startswith(_EXECUTIONS) or control.execution(execution).running
