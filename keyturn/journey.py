"""One credential's way through `rotate`: an overlap left open by earlier runs, the rotation, its overlap, `retire`.

Driven from outside by `advance`, one look at a time, so that many go on side by side, a test drives it without a clock,
and an interrupt finds nothing half done: the runs live in the cloud, this only watches and starts the next one.
Not here: how the result is shown (`outcome`), and waiting (`follow`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum

from keyturn.answers import Overlap, Standing, Started
from keyturn.control import Control
from keyturn.watch import Watch
from rotation.errors import KeyturnError

# An overlap that a person can wait for; a longer one is ended by the schedule, or when it is over.
SHORT_OVERLAP_S = 60
# The gate judges by its own clock: asked again for so long after ours said that the overlap is over.
GATE_PATIENCE_S = 30.0
# Between two askings of the gate.
GATE_PAUSE_S = 1.0

# Somebody else (the schedule, most likely) ends the overlap already, or has.
_TAKEN = ("claim_held", "no_open_overlap")


class Stage(StrEnum):
    """How far a journey is."""

    BEGIN = "begin"
    CLOSE = "close an earlier overlap"
    ROTATE = "rotate"
    OVERLAP = "overlap"
    RETIRE = "retire"
    DONE = "done"


def ended_first(standing: Standing, now: datetime) -> bool:
    """Whether an overlap left open is ended before a rotation: one that is over, or short enough to be waited for.

    Control's gate has the last word on the time: a clock here that is ahead only asks it again.
    """
    overlap = standing.head.overlap
    return overlap is not None and (standing.policy.overlap_s <= SHORT_OVERLAP_S or overlap.retire_at <= now)


class Journey:
    """The journey of the secret of `standing`. `clock` gives monotonic seconds, `now` the time of day."""

    def __init__(
        self,
        control: Control,
        standing: Standing,
        reason: str,
        clock: Callable[[], float],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.standing = standing
        self.stage = Stage.BEGIN
        self.rotation: Watch | None = None
        self.retirement: Watch | None = None
        self.overlap: Overlap | None = None
        self.error: KeyturnError | None = None
        self._control, self._reason, self._clock, self._now = control, reason, clock, now
        self._due = 0.0
        self._patience = 0.0
        self._ways = {
            Stage.BEGIN: self._begin,
            Stage.CLOSE: self._close,
            Stage.ROTATE: self._rotate,
            Stage.OVERLAP: self._wait,
            Stage.RETIRE: self._retire,
        }

    @property
    def secret(self) -> str:
        """Whose journey it is."""
        return self.standing.secret

    @property
    def done(self) -> bool:
        """Nothing is left to look at."""
        return self.stage is Stage.DONE

    @property
    def short(self) -> bool:
        """Whether the policy's overlap is waited for."""
        return self.standing.policy.overlap_s <= SHORT_OVERLAP_S

    @property
    def overlap_left_s(self) -> float:
        """Seconds until the overlap is over by our clock."""
        return max(0.0, self._due - self._clock())

    def advance(self) -> None:
        """One look, or the start of the next run. What control refuses ends the journey and is kept in `error`."""
        try:
            self._ways[self.stage]()
        except KeyturnError as exc:
            self.error = exc
            self.stage = Stage.DONE

    def _begin(self) -> None:
        left_open, now = self.standing.head.overlap, self._now()
        if left_open is None or not ended_first(self.standing, now):
            # control refuses it while a long overlap lasts, and says so in its own words
            self._start_rotation()
            return
        self.overlap = left_open
        self._await(max(0.0, (left_open.retire_at - now).total_seconds()))
        self.stage = Stage.CLOSE

    def _close(self) -> None:
        """An overlap left open by a run that nobody waited for is ended first, or the rotation would be refused."""
        if self._retired() and self.retirement is not None:
            if self.retirement.succeeded or self.retirement.reason == "no_open_overlap":
                self.retirement, self.overlap = None, None
                self._start_rotation()
            else:
                self.stage = Stage.DONE

    def _start_rotation(self) -> None:
        self.rotation = Watch(self._control, self._control.rotate(self.secret, self._reason), self._clock)
        self.stage = Stage.ROTATE

    def _rotate(self) -> None:
        if self.rotation is None or not self.rotation.look():
            return
        self.stage = Stage.DONE
        if not self.rotation.succeeded:
            return
        self.overlap = self._control.status([self.secret])[0].head.overlap
        run = self.rotation.run
        if self.overlap and self.short and run and run.ended_at:
            # both times are the ledger's: only their difference is used, so no two clocks are compared
            self._await((self.overlap.retire_at - run.ended_at).total_seconds())
            self.stage = Stage.OVERLAP

    def _await(self, seconds: float) -> None:
        self._due = self._clock() + seconds
        self._patience = self._due + GATE_PATIENCE_S

    def _wait(self) -> None:
        if self.overlap_left_s <= 0:
            self.stage = Stage.RETIRE

    def _retire(self) -> None:
        if self._retired():
            self.stage = Stage.DONE

    def _retired(self) -> bool:
        """Start `retire` when it is due and watch it, or the one that somebody else started; True when it ended."""
        if self.retirement is None:
            if self.overlap_left_s <= 0:
                started = self._control.retire(self.secret, self._reason)
                self.retirement = Watch(self._control, started, self._clock)
            return False
        if not self.retirement.look():
            return False
        return self.retirement.succeeded or not self._again(self.retirement.reason)

    def _again(self, reason: str) -> bool:
        """After a retirement that was refused: whether there is another one to watch or to start."""
        if reason == "overlap_not_over" and self._clock() < self._patience:
            self._due, self.retirement = self._clock() + GATE_PAUSE_S, None
            return True
        other = self._others() if reason in _TAKEN else None
        if other is None:
            return False
        self.retirement = Watch(self._control, other, self._clock)
        return True

    def _others(self) -> Started | None:
        """The retirement of this very overlap that somebody else started."""
        if self.overlap is None:
            return None
        for run in reversed(self._control.history(self.secret)):
            same = run.overlap is not None and run.overlap.run_id == self.overlap.run_id
            if run.machine == "retire" and run.status != "failed" and same:
                return Started(execution=run.execution, run_id=run.run_id)
        return None
