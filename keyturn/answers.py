"""What control answers, parsed: the command works with these, never with loose dictionaries.

Fields of a newer function are ignored, so that command and functions may be of different versions. No field holds a
value of a secret. Not here: how the answers are had (`control`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

# The ledger writes a time that is not yet known as empty text.
MaybeTime = Annotated[datetime | None, BeforeValidator(lambda written: written or None)]


class Answer(BaseModel):
    """Frozen, and deaf to what it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Started(Answer):
    """A run that was started."""

    execution: str
    run_id: str


class Version(Answer):
    """One version as its store names it; Vault's live and pending paths count apart."""

    id: str
    path: str = ""


class Overlap(Answer):
    """Old and new are both valid until `retire_at`; `run_id` is the rotation that opened it."""

    run_id: str
    old: Version
    new: Version
    retire_at: datetime


class PolicyInShort(Answer):
    """What the catalogue says of a secret; durations in seconds."""

    store: str
    path: str
    credential: str
    cadence: str
    warm_up_s: int
    overlap_s: int
    owner: str
    runbook: str
    digest: str


class Head(Answer):
    """Where a secret stands now. `run_id` is empty when nobody holds the claim."""

    epoch: int = 0
    run_id: str = ""
    execution: str = ""
    current: Version | None = None
    overlap: Overlap | None = None


class Run(Answer):
    """One run in short. status: `running`, `succeeded`, `failed`; `current` is the version it started from."""

    run_id: str
    secret: str
    machine: str
    execution: str
    policy_digest: str = ""
    reason: str = ""
    requested_by: str = ""
    started_at: datetime
    ended_at: MaybeTime = None
    status: str
    failure: dict[str, str] = {}
    current: Version | None = None
    overlap: Overlap | None = None

    @property
    def running(self) -> bool:
        """Whether the ledger does not know its end yet."""
        return self.status == "running"


class Step(Answer):
    """One step of a run: `facts` after its effect; `outcome_at` is None while it is under way."""

    step: str
    phase: str
    intent_at: datetime
    intent: dict[str, str] = {}
    outcome_at: MaybeTime = None
    facts: dict[str, str] = {}
    calls: dict[str, int] = {}
    attempts: int = 1


class RunInFull(Run):
    """A run with its steps, in the order of their intents."""

    steps: list[Step] = []

    def step(self, name: str) -> Step | None:
        """The step called `name`, if the run came that far."""
        return next((step for step in self.steps if step.step == name), None)


class Standing(Answer):
    """Everything `status` says of one secret."""

    secret: str
    policy: PolicyInShort
    head: Head
    last_run: Run | None = None


class Execution(Answer):
    """An execution as its machine sees it: `status` as Step Functions names it; `trouble` is the last error in it."""

    status: str
    trouble: str = ""

    @property
    def running(self) -> bool:
        """Whether it may still change something."""
        return self.status == "RUNNING"
