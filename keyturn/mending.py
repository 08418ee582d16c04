"""Repair of one secret, round by round: look, show, do the one safe action when it is agreed to, follow it, look again.

What is done is what was shown: `mend` is given the digest of the finding, and refuses when something else is found by
then. Bounded, so that an action that changes nothing is told and not repeated. Not here: judging, which is control's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from keyturn.answers import Run, Started
from keyturn.control import Control
from keyturn.errand import Ending, Errand, watched
from keyturn.exits import Exit, of_error
from keyturn.findings import Found, Mended, Verdict
from keyturn.remedies import About, filled, remedy
from keyturn.watch import Watch
from rotation.errors import KeyturnError

# An interrupted run, its overlap and a stray pending version are three; one is left over for a surprise.
MAX_ROUNDS = 4
_CHANGED = "diagnosis_changed"
_NEXT = {
    "not_agreed": "`keyturn repair {name} --yes --reason WHY{at}` does it",
    "not_mended": "the action changed nothing: `keyturn history {name}{at}` shows what it met, docs/runbooks/repair.md",
    "needs_decision": "the finding says what keeps it so, and which commands go on; docs/runbooks/repair.md",
    "undecidable": "run the commands above, they decide; docs/runbooks/repair.md says what each answer means",
}
_GOOD = frozenset({"succeeded", "undone"})


@dataclass(frozen=True, kw_only=True)
class Round:
    """One action that was done. ending: how the run that it started ended; None where it was a write to the ledger."""

    digest: str
    action: str
    says: str
    ending: Ending | None = None


@dataclass(kw_only=True)
class Case:
    """One secret under repair. `reason` is empty where it ended well; under_way: a run of it goes on now."""

    secret: str
    found: Found | None = None
    rounds: list[Round] = field(default_factory=list)
    exit: Exit = Exit.DONE
    reason: str = ""
    message: str = ""
    remedy: str = ""
    under_way: bool = False


class Mending:
    """How secrets of one stack are mended: `agree` is asked before each action, `tell` is told of each finding."""

    def __init__(
        self,
        control: Control,
        reason: str,
        stack: str,
        agree: Callable[[Found], bool],
        tell: Callable[[Found, int], None],
    ) -> None:
        self._control, self._reason, self._stack = control, reason, stack
        self._agree, self._tell = agree, tell

    def treat(self, case: Case) -> Case:
        """Mend until the secret is well, or nothing safe is left to do; what control refuses ends the case."""
        try:
            for number in range(1, MAX_ROUNDS + 1):
                if not self._one_round(case, number):
                    return case
            found = self._look(case, MAX_ROUNDS + 1)
            self._settle(case, found, agreed=True)
        except KeyturnError as exc:
            next_step = exc.remedy or self._next(case, exc.reason)
            case.exit, case.reason, case.message, case.remedy = of_error(exc), exc.reason, exc.message, next_step
        return case

    def _one_round(self, case: Case, number: int) -> bool:
        """Look, and do what is safe; True when it has to be looked at again."""
        found = self._look(case, number)
        repeated = bool(case.rounds) and case.rounds[-1].digest == found.digest
        if found.verdict is not Verdict.MEND or repeated or not self._agree(found):
            self._settle(case, found, agreed=repeated)
            return False
        # a run that is continued may be one that has failed already and holds no claim: what it left is undone
        subject = found.diagnoses[0].subject or found.run_id
        before = self._control.run(subject) if subject else None
        try:
            mended = self._control.mend(case.secret, found.digest, self._reason)
        except KeyturnError as exc:
            if exc.reason != _CHANGED:
                raise
            # somebody was faster; what is found now is shown, and asked for, before anything is done
            return True
        taken = before if before and before.run_id == mended.run_id else None
        case.under_way = bool(mended.execution)
        ending = self._follow(mended, taken) if mended.execution else None
        case.under_way = False
        case.rounds.append(Round(digest=found.digest, action=mended.action, says=mended.says, ending=ending))
        return True

    def _look(self, case: Case, number: int) -> Found:
        case.found = self._control.diagnose(case.secret)
        self._tell(case.found, number)
        return case.found

    def _follow(self, mended: Mended, before: Run | None) -> Ending:
        started = Started(execution=mended.execution, run_id=mended.run_id)
        watch = Watch(self._control, started, time.monotonic, before)
        return watched(Errand(mended.secret, mended.action, watch), self._stack, _GOOD)

    def _settle(self, case: Case, found: Found, *, agreed: bool) -> None:
        """The end of a case: well, waiting for a run, for an agreement, or for a decision."""
        ends = {
            Verdict.WELL: (Exit.DONE, ""),
            Verdict.WAIT: (Exit.REFUSED, "claim_held"),
            Verdict.MEND: (Exit.RUN_FAILED, "not_mended") if agreed else (Exit.NOT_AGREED, "not_agreed"),
            Verdict.DECIDE: (Exit.UNDECIDABLE, "undecidable"),
        }
        case.exit, case.reason = ends[found.verdict]
        if case.exit is Exit.UNDECIDABLE and found.stopped:
            case.reason = "needs_decision"
        case.remedy = self._next(case, case.reason) if case.reason else ""

    def _next(self, case: Case, reason: str) -> str:
        about = About(secret=case.secret, stack=self._stack)
        last = case.rounds[-1].ending if case.rounds else None
        if reason == "not_mended" and last and last.remedy:
            return last.remedy
        own = _NEXT.get(reason)
        return filled(own, about) if own else remedy(reason, about)
