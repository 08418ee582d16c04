"""The end of one overlap, watched from outside: started by us when it is due, or by somebody else.

The schedule, an emergency, or a person may end the same overlap at the same time: exactly one of them gets the claim,
so a refusal because it is taken means that there is another retirement to watch. Not here: what comes before it.
"""

from __future__ import annotations

from collections.abc import Callable

from keyturn.answers import Overlap, Started
from keyturn.control import Control
from keyturn.watch import Watch
from rotation.errors import KeyturnError

# The gate judges by its own clock: asked again for so long after ours said that the overlap is over.
GATE_PATIENCE_S = 30.0
# Between two askings of the gate.
GATE_PAUSE_S = 1.0
# Control starts the retirement of an emergency in its last phase: seen well within this, or it could not.
EXPECTED_WITHIN_S = 10.0

# Somebody else (the schedule, most likely) ends the overlap already, or has.
TAKEN = ("claim_held", "claim_lost", "no_open_overlap")


class Retirement:
    """The retirement of `overlap`. `start` asks for one; `due` is when to, in seconds of `clock`.

    expected: somebody else starts it, so it is looked for before one is asked for.
    """

    def __init__(  # noqa: PLR0913  # what it is about, and three ways in which it begins
        self,
        control: Control,
        secret: str,
        overlap: Overlap,
        start: Callable[[], Started],
        clock: Callable[[], float],
        *,
        due: float = 0.0,
        expected: bool = False,
    ) -> None:
        self.watch: Watch | None = None
        self._control, self._secret, self._overlap = control, secret, overlap
        self._start, self._clock = start, clock
        begins = max(due, clock())
        self._due, self._patience = due, begins + GATE_PATIENCE_S
        self._expected_until = begins + EXPECTED_WITHIN_S if expected else 0.0

    @property
    def left_s(self) -> float:
        """Seconds until it is asked for."""
        return max(0.0, self._due - self._clock())

    @property
    def succeeded(self) -> bool:
        """Whether it ended well."""
        return self.watch is not None and self.watch.succeeded

    def look(self) -> bool:
        """One look, or the start of it; True when it has ended, well or not."""
        if self.watch is None:
            self._begin()
            return False
        if not self.watch.look():
            return False
        return self.watch.succeeded or not self._again(self.watch.reason)

    def _begin(self) -> None:
        if self.left_s > 0:
            return
        if self._clock() < self._expected_until:
            self._follow(self._theirs(failed_too=True))
            return
        try:
            self._follow(self._start())
        except KeyturnError as exc:
            other = self._theirs() if exc.reason in TAKEN else None
            if other is None:
                raise
            self._follow(other)

    def _follow(self, started: Started | None) -> None:
        self.watch = Watch(self._control, started, self._clock) if started else None

    def _again(self, reason: str) -> bool:
        """After one that was refused: whether there is another one to watch or to start."""
        if reason == "overlap_not_over" and self._clock() < self._patience:
            self._due, self.watch = self._clock() + GATE_PAUSE_S, None
            return True
        other = self._theirs() if reason in TAKEN else None
        if other is None:
            return False
        self._follow(other)
        return True

    def _theirs(self, *, failed_too: bool = False) -> Started | None:
        """The retirement of this very overlap that somebody else started."""
        for run in reversed(self._control.history(self._secret)):
            same = run.overlap is not None and run.overlap.run_id == self._overlap.run_id
            if run.machine == "retire" and same and (failed_too or run.status != "failed"):
                return Started(execution=run.execution, run_id=run.run_id)
        return None
