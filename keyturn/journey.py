"""One credential's way through `rotate`: an overlap left open by earlier runs, the rotation, its overlap, `retire`.

Driven from outside by `advance`, one look at a time, so that many go on side by side, a test drives it without a clock,
and an interrupt finds nothing half done: the runs live in the cloud, this only watches and starts the next one.
In an emergency nothing is waited for but work, and control goes from one run to the next without us: it ends an open
overlap, then rotates, then retires the old one at once.
Not here: how the result is shown (`outcome`), waiting (`follow`), and the end of an overlap (`retirement`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from keyturn.answers import Head, Overlap, Standing, Started
from keyturn.control import Control
from keyturn.retirement import EXPECTED_WITHIN_S, Retirement
from keyturn.watch import Watch
from rotation.errors import KeyturnError

# An overlap that a person can wait for; a longer one is ended by the schedule, or when it is over.
SHORT_OVERLAP_S = 60


class Stage(StrEnum):
    """How far a journey is."""

    BEGIN = "begin"
    CLOSE = "close an earlier overlap"
    ROTATE = "rotate"
    OVERLAP = "overlap"
    RETIRE = "retire"
    DONE = "done"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Why, and how urgently: an emergency waits for no overlap, break-glass passes a freeze. Both are recorded."""

    reason: str
    emergency: bool = False
    break_glass: bool = False


def ended_first(standing: Standing, now: datetime) -> bool:
    """Whether an overlap left open is ended before a rotation: one that is over, or short enough to be waited for.

    Control's gate has the last word on the time: a clock here that is ahead only asks it again.
    """
    overlap = standing.head.overlap
    # by the time that is left: a person may have drawn it out, whatever the policy says
    return overlap is not None and (overlap.retire_at - now).total_seconds() <= SHORT_OVERLAP_S


class Journey:
    """The journey of the secret of `standing`. `clock` gives monotonic seconds, `now` the time of day."""

    def __init__(
        self,
        control: Control,
        standing: Standing,
        wish: Wish | str,
        clock: Callable[[], float],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.standing = standing
        self.stage = Stage.BEGIN
        self.rotation: Watch | None = None
        self.overlap: Overlap | None = None
        self.error: KeyturnError | None = None
        self._wish = wish if isinstance(wish, Wish) else Wish(reason=wish)
        self._control, self._clock, self._now = control, clock, now
        self._end: Retirement | None = None
        # the retirement that control goes on from to the rotation, and until when that has to be seen
        self._leads_on: Watch | None = None
        self._expected_until = 0.0
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
    def retirement(self) -> Watch | None:
        """The retirement that is watched, once there is one."""
        return self._end.watch if self._end else None

    @property
    def watched(self) -> Watch | None:
        """What is under way, if it is a run."""
        return {Stage.ROTATE: self.rotation, Stage.RETIRE: self.retirement, Stage.CLOSE: self.retirement}.get(
            self.stage
        )

    @property
    def behind(self) -> list[Watch]:
        """Every run that was watched so far."""
        return [watch for watch in (self.rotation, self.retirement) if watch]

    @property
    def left_s(self) -> float:
        """Seconds until the overlap is over by our clock; 0 while none is waited for."""
        return self._end.left_s if self._end and self.stage is Stage.OVERLAP else 0.0

    def advance(self) -> None:
        """One look, or the start of the next run. What control refuses ends the journey and is kept in `error`."""
        try:
            self._ways[self.stage]()
        except KeyturnError as exc:
            self.error = exc
            self.stage = Stage.DONE

    def _begin(self) -> None:
        left_open, now = self.standing.head.overlap, self._now()
        if left_open is None or not (self._wish.emergency or ended_first(self.standing, now)):
            # control refuses it while a long overlap lasts, and says so in its own words
            self._start_rotation()
            return
        left_s = 0.0 if self._wish.emergency else max(0.0, (left_open.retire_at - now).total_seconds())
        self._end = self._retirement(left_open, left_s, self._rotate_over_it if self._wish.emergency else self._ask)
        self.stage = Stage.CLOSE

    def _close(self) -> None:
        """An overlap left open by a run that nobody waited for is ended first, or the rotation would be refused."""
        end = self._end
        if end is None or not end.look():
            return
        if end.succeeded or (end.watch and end.watch.reason == "no_open_overlap"):
            self._end = None
            self.stage = Stage.ROTATE
            if end.watch and end.watch.run and end.watch.run.emergency:
                self._leads_on, self._expected_until = end.watch, self._clock() + EXPECTED_WITHIN_S
            else:
                self._start_rotation()
        else:
            self.stage = Stage.DONE

    def _start_rotation(self) -> None:
        wish = self._wish
        started = self._control.rotate(self.secret, wish.reason, emergency=wish.emergency, break_glass=wish.break_glass)
        self.rotation = Watch(self._control, started, self._clock)
        self.stage = Stage.ROTATE

    def _follow_rotation(self) -> None:
        """After an emergency's retirement: the rotation that control started, or ours where it could not."""
        ended = self._leads_on.run.ended_at if self._leads_on and self._leads_on.run else None
        for run in reversed(self._control.history(self.secret)):
            if run.machine == "rotate" and ended and run.started_at >= ended:
                begun = Started(execution=run.execution, run_id=run.run_id)
                self.rotation = Watch(self._control, begun, self._clock)
                return
        if self._clock() >= self._expected_until:
            self._start_rotation()

    def _rotate(self) -> None:
        if self.rotation is None:
            self._follow_rotation()
            return
        if not self.rotation.look():
            return
        self.stage = Stage.DONE
        if not self.rotation.succeeded:
            return
        self.overlap = self._opened(self._control.status([self.secret])[0].head)
        run = self.rotation.run
        if self.overlap is None or run is None or run.ended_at is None:
            return
        # both times are the ledger's: only their difference is used, so no two clocks are compared
        left_s = 0.0 if self._wish.emergency else (self.overlap.retire_at - run.ended_at).total_seconds()
        if left_s <= SHORT_OVERLAP_S:
            self._end = self._retirement(self.overlap, left_s, self._ask)
            self.stage = Stage.OVERLAP

    def _opened(self, head: Head) -> Overlap | None:
        """The overlap that this rotation opened, also when somebody else has ended it meanwhile."""
        if head.overlap or self.rotation is None:
            return head.overlap
        retired = head.retired
        return retired if retired and retired.run_id == self.rotation.started.run_id else None

    def _retirement(self, overlap: Overlap, left_s: float, start: Callable[[], Started]) -> Retirement:
        # after an emergency control itself starts it: there is one to be seen
        expected = self._wish.emergency and self.rotation is not None
        due = self._clock() + left_s
        return Retirement(self._control, self.secret, overlap, start, self._clock, due=due, expected=expected)

    def _ask(self) -> Started:
        return self._control.retire(self.secret, self._wish.reason, break_glass=self._wish.break_glass)

    def _rotate_over_it(self) -> Started:
        """Asked for now, so that it follows also where nobody watches any more."""
        wish = self._wish
        return self._control.rotate(self.secret, wish.reason, emergency=True, break_glass=wish.break_glass)

    def _wait(self) -> None:
        if self.left_s <= 0:
            self.stage = Stage.RETIRE

    def _retire(self) -> None:
        if self._end is not None and self._end.look():
            self.stage = Stage.DONE
