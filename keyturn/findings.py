"""What control answers about what is not well with a secret: diagnoses, evidence, the one safe action, or what to ask.

Not here: the judging, which is control's; and how it is told (`repair_view`).
"""

from __future__ import annotations

from enum import StrEnum

from keyturn.answers import Answer

HEALTHY, RUNNING, HALTED = "healthy", "running", "halted"
# What has no action while a switch is on, or while consumers are waited for.
_HELD = frozenset({HALTED, "overlap_overdue", "old_alive"})


class Verdict(StrEnum):
    """What a finding asks of a person."""

    WELL = "well"
    # a run is under way: it is looked at again when that has ended
    WAIT = "wait"
    # there is a safe action
    MEND = "mend"
    # there is none: the commands that were printed decide
    DECIDE = "decide"


class Action(Answer):
    """The one safe action of a diagnosis: its name, and what it does in words."""

    name: str
    says: str


class Diagnosis(Answer):
    """One thing that was found. ask: commands that would decide it. subject: the run or version that is acted on."""

    kind: str
    says: str
    evidence: tuple[str, ...] = ()
    action: Action | None = None
    ask: tuple[str, ...] = ()
    subject: str = ""


class Found(Answer):
    """What was found about a secret; `digest` names exactly this finding, so that nothing else is mended."""

    secret: str
    run_id: str = ""
    digest: str
    diagnoses: tuple[Diagnosis, ...] = ()

    @property
    def action(self) -> Action | None:
        """What `mend` would do now: the first diagnosis is the one to act on; the others are looked at after it."""
        return self.diagnoses[0].action if self.diagnoses else None

    @property
    def stopped(self) -> bool:
        """Whether something known has to end first, or the run to be taken back: the evidence is clear."""
        return bool(self.diagnoses) and self.action is None and self.diagnoses[0].kind in _HELD

    @property
    def verdict(self) -> Verdict:
        """What is asked of a person."""
        if self.action:
            return Verdict.MEND
        kinds = {one.kind for one in self.diagnoses}
        if kinds <= {HEALTHY}:
            return Verdict.WELL
        return Verdict.WAIT if kinds <= {HEALTHY, RUNNING} else Verdict.DECIDE


class Mended(Answer):
    """What `mend` did or started; execution and run_id are empty where it was a write to the ledger."""

    secret: str
    action: str
    execution: str = ""
    run_id: str = ""
    says: str = ""
