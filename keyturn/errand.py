"""One run followed to its end for a verb that starts just one: `rollback`, `resume`, `overlap close`, `repair`.

Not here: what starts it, and how many go on at a time (`follow`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from keyturn.exits import Exit, of_error, of_reason
from keyturn.follow import follow
from keyturn.outcome import retired_proof
from keyturn.progress import progress
from keyturn.remedies import About, remedy
from keyturn.retirement import Retirement
from keyturn.timing import PhaseTime, phase_times
from keyturn.watch import Watch
from rotation.errors import KeyturnError
from rotation.phases import Back


class Errand:
    """A run of `secret` that is watched; `stage` names it while it goes."""

    def __init__(self, secret: str, stage: str, course: Watch | Retirement) -> None:
        self.secret, self.stage, self.done = secret, stage, False
        self.error: KeyturnError | None = None
        self._course = course

    @property
    def watched(self) -> Watch | None:
        """The run, once it is there."""
        return self._course if isinstance(self._course, Watch) else self._course.watch

    @property
    def behind(self) -> Sequence[Watch]:
        """The same, for its phases."""
        return [self.watched] if self.watched else []

    @property
    def left_s(self) -> float:
        """Nothing is waited for but the run."""
        return 0.0

    def advance(self) -> None:
        """One look; what control refuses ends the errand and is kept in `error`."""
        try:
            self.done = self._course.look()
        except KeyturnError as exc:
            self.error, self.done = exc, True


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a run ended. outcome: its status in the ledger, `failed` where it has none. proof: of a retirement."""

    secret: str
    machine: str
    run_id: str
    outcome: str
    reason: str = ""
    message: str = ""
    remedy: str = ""
    proof: str = ""
    phases: tuple[PhaseTime, ...] = ()
    exit: Exit = Exit.DONE


def watched(errand: Errand, stack: str, good: frozenset[str] = frozenset({"succeeded"})) -> Ending:
    """Follow to the end, showing progress. `good`: the statuses that are what was asked for."""
    with progress() as shown:
        follow([errand], shown)
    return ending(errand, stack, good)


def ending(errand: Errand, stack: str, good: frozenset[str]) -> Ending:
    """How an errand that is done has ended."""
    watch = errand.watched
    run, run_id = (watch.run, watch.started.run_id) if watch else (None, "")
    phases = tuple(phase_times(run)) if run else ()
    begun = Ending(
        secret=errand.secret,
        machine=run.machine if run else errand.stage,
        run_id=run_id,
        outcome=watch.status if watch else "failed",
        phases=phases,
    )
    if watch and not errand.error and watch.status in good:
        return replace(begun, proof=retired_proof(run))
    about = About(
        secret=errand.secret,
        run_id=run_id or "RUN",
        stack=stack,
        status=watch.status if watch else "",
        way_out=run.way_out if run else Back.UNDONE,
    )
    if error := errand.error:
        told = error.remedy or remedy(error.reason, about)
        return replace(begun, reason=error.reason, message=error.message, remedy=told, exit=of_error(error))
    reason, message = (watch.reason, watch.message) if watch else ("not_started", "")
    return replace(begun, reason=reason, message=message, remedy=remedy(reason, about), exit=of_reason(reason))
