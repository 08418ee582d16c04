"""One run, followed to its end by looking: in the ledger through control, and at its execution when that is silent.

A run may die where it cannot write its end any more, and one that was refused before its claim is in the ledger only
when its machine has come that far; so what the machine says decides when the ledger says nothing new. A run that was
halted, or lost its execution, goes on under another one: `before` is how it stood, which is no end of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from keyturn.answers import Run, RunInFull, Started, Step
from keyturn.control import Control

# A step takes a fraction of this; longer silence is a wait, a retry or a death, and the machine tells which.
QUIET_S = 2.0

_REASON = re.compile(r"\[([a-z][a-z_]+)\]\s*$")
# Ends that are no failure and yet not what was asked for: they need no reason of their own.
_BY_STATUS = {"reported": "report_only", "undone": "undone"}


class Watch:
    """The run that `started` names. `clock` gives monotonic seconds."""

    def __init__(
        self, control: Control, started: Started, clock: Callable[[], float], before: Run | None = None
    ) -> None:
        self.started = started
        self._before = before
        self.run: RunInFull | None = None
        # the last error the machine retried or died of, empty while there was none
        self.trouble = ""
        self._died = ""
        self._control = control
        self._clock = clock
        self._changed_at = clock()

    @property
    def succeeded(self) -> bool:
        """Whether the ledger says so."""
        return self.run is not None and self.run.status == "succeeded"

    @property
    def status(self) -> str:
        """How it ended as the ledger says; `failed` where it died without a record."""
        return self.run.status if self.run and not self.run.running else "failed"

    @property
    def reason(self) -> str:
        """Why it failed; the provider's own reason where the machine gave up on an error."""
        recorded = self.run.stopped_by or _BY_STATUS.get(self.run.status, "") if self.run else ""
        if recorded and not recorded.endswith("_broke"):
            return recorded
        found = _REASON.search(self.trouble)
        return found.group(1) if found else recorded or f"execution_{self._died.lower() or 'unknown'}"

    @property
    def message(self) -> str:
        """What is known of the failure in words, without a value."""
        failing = self.run.failure.get("phase", "") if self.run else ""
        steps = self.run.steps if self.run else []
        said = next(filter(None, map(_said, reversed(steps))), self.trouble)
        return ": ".join(filter(None, (failing, said)))

    def look(self) -> bool:
        """Look once; True when the run has ended, well or not."""
        before = self.run
        self.run = self._control.run(self.started.run_id)
        if self.run is not None and not self.run.running and not self._as_before(self.run):
            if self.run.stopped_by.endswith("_broke"):
                self.trouble = self._control.execution(self.run.execution).trouble
            return True
        if self.run != before:
            self._changed_at = self._clock()
            return False
        return self._clock() - self._changed_at >= QUIET_S and self._ended_unrecorded()

    def _ended_unrecorded(self) -> bool:
        execution = self._control.execution(self._driver())
        self.trouble = execution.trouble
        self._changed_at = self._clock()
        if execution.running:
            return False
        # it may have written its end between the two looks
        self.run = self._control.run(self.started.run_id)
        unended = self.run is None or self.run.running or self._as_before(self.run)
        self._died = execution.status if unended else ""
        return True

    def _as_before(self, run: Run) -> bool:
        """Whether the run has not been taken over yet by the execution that continues it."""
        return self._before is not None and run.takeovers == self._before.takeovers and not run.running

    def _driver(self) -> str:
        """The execution that has the run now: another one than ours where somebody took it over after us."""
        taken = self._before.takeovers if self._before else 0
        if self.run is None or self.run.takeovers <= taken:
            return self.started.execution
        return self.run.execution


def _said(step: Step) -> str:
    """What a step that did not pass said of it."""
    if step.facts.get("outcome") == "passed":
        return ""
    return step.facts.get("message", "") or step.facts.get("detail", "")
