"""What control answers, parsed: the command works with these, never with loose dictionaries.

Fields of a newer function are ignored, so that command and functions may be of different versions. No field holds a
value of a secret. Not here: how the answers are had (`control`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from keyturn.approval_answer import Approval
from rotation.phases import Back, way_out

# The ledger writes a time that is not yet known as empty text.
MaybeTime = Annotated[datetime | None, BeforeValidator(lambda written: written or None)]
# A version is answered as its id, or whole.
VersionId = Annotated[str, BeforeValidator(lambda said: said.get("id", "") if isinstance(said, dict) else said or "")]
# Absent and empty are the same to a reader.
Text = Annotated[str, BeforeValidator(lambda said: "" if said is None else said)]


class Answer(BaseModel):
    """Frozen, and deaf to what it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Started(Answer):
    """A run that was started, or goes on under a new execution.

    first: `retire` where an open overlap is ended before the rotation that was asked for, which then follows by itself.
    """

    execution: str
    run_id: str
    first: str = ""


class Closing(Started):
    """The retirement that closes an overlap early; `retire_at` is when the overlap is over by now."""

    retire_at: datetime


class Extended(Answer):
    """An overlap that was made longer."""

    secret: str
    retire_at: datetime


class GoingBack(Started):
    """A way back that was started. kind: `undo` (of an unfinished run) or `rollback` (to the version before)."""

    kind: str


class Version(Answer):
    """One version as its store names it; Vault's live and pending paths count apart."""

    id: str
    path: str = ""


class Overlap(Answer):
    """Old and new are both valid until `retire_at`; `run_id` is the run that opened it.

    disposed: what became of the old one in the store once it was dead. emergency: it was opened with no time to wait.
    """

    run_id: str
    old: Version
    new: Version
    retire_at: datetime
    emergency: bool = False
    disposed: str = ""


class PolicyInShort(Answer):
    """What the catalogue says of a secret; durations in seconds. approvers: who has to agree first, if anybody."""

    store: str
    path: str
    credential: str
    approvers: list[str] = []
    cadence: str
    warm_up_s: int
    overlap_s: int
    owner: str
    runbook: str
    digest: str


class Head(Answer):
    """Where a secret stands now. `run_id` is empty when nobody holds the claim; `retired` is the overlap ended last."""

    epoch: int = 0
    run_id: str = ""
    execution: str = ""
    current: Version | None = None
    overlap: Overlap | None = None
    retired: Overlap | None = None


class Run(Answer):
    """One run in short; `current` is the version it started from.

    status: `running`, `halted` (a switch stopped it; it keeps its claim), `stuck` (it could not be undone yet),
    `succeeded`, `failed`, `undone` (by a person), `reported` (nothing was done). direction: `undo` or `back` once it
    only goes back. takeovers: how many executions continued it. break_glass: it passes a freeze. clear: the pending
    version that a repair removes. unacknowledged: it did not wait for consumers. continued_by, continued_why: whoever
    went on with it last, or took it back.
    """

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
    emergency: bool = False
    break_glass: bool = False
    direction: str = ""
    takeovers: int = 0
    clear: str = ""
    unacknowledged: bool = False
    continued_by: str = ""
    continued_why: str = ""

    @property
    def running(self) -> bool:
        """Whether the ledger does not know its end yet."""
        return self.status == "running"

    @property
    def halted(self) -> bool:
        """Whether a switch stopped it, so that a person resumes it or rolls it back."""
        return self.status == "halted"

    @property
    def stuck(self) -> bool:
        """Whether it could not be undone: it keeps its claim, and the sweep takes it up again."""
        return self.status == "stuck"

    @property
    def stopped_by(self) -> str:
        """The reason it ended with, empty where it has none."""
        return self.failure.get("reason", "")


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
    """A run with its steps, in the order of their intents; `approval` where its policy asks for one."""

    approval: Approval | None = None
    steps: list[Step] = []

    @property
    def waits(self) -> str:
        """For whom it waits, and until when; empty while it does not."""
        return self.approval.waits if self.approval and self.running else ""

    @property
    def way_out(self) -> Back:
        """What `keyturn rollback` does with it while nobody works on it."""
        leaked = self.overlap is not None and self.overlap.emergency
        done = [step.step for step in self.steps]
        return way_out(self.machine, done, emergency=self.emergency, leaked=leaked)

    def step(self, name: str) -> Step | None:
        """The step called `name`, if the run came that far."""
        return next((step for step in self.steps if step.step == name), None)


class Horizon(Answer):
    """How far back a rollback leads: to which version, until when, and whether store or target is the limit.

    `until` is a time, or words such as `the next rotation`. `why`: why it is not possible.
    """

    possible: bool = False
    to: VersionId = ""
    until: Text = ""
    limited_by: Text = ""
    versions: int = 0
    why: Text = ""


class Freeze(Answer):
    """A freeze of one secret, who set it and why; over by itself at `until`."""

    secret: str
    until: datetime
    actor: str = ""
    reason: str = ""
    at: MaybeTime = None


class Emergency(Answer):
    """A rotation that was asked for in an emergency and is not done: who asked, when and why.

    failures: how often it failed in a row, the last time for `cause`; it pauses until `not_before`.
    """

    asked_at: MaybeTime = None
    requested_by: str = ""
    reason: str = ""
    failures: int = 0
    cause: str = ""
    not_before: MaybeTime = None
    break_glass: bool = False


class Consumer(Answer):
    """One consumer: how many of its instances are live, and how many of those use the version that is awaited.

    state: `acknowledged`, `behind` (a live instance uses another version), `silent` (none is left), `unknown` (never
    heard of).
    """

    name: str
    state: str
    live: int = 0
    acknowledged: int = 0


class Instance(Answer):
    """One instance of a consumer, and until when what it said holds. version: as consumers call it."""

    instance: str
    version: str
    actor: str = ""
    seen_at: datetime
    expires_at: datetime
    live: bool = False
    acknowledged_at: MaybeTime = None


class ConsumerInFull(Consumer):
    """One consumer with its instances, live ones first."""

    instances: list[Instance] = []


class Consumers(Answer):
    """The consumers of a secret that acknowledge. version: what is current. awaited: the end of an overlap waits.

    published: what the stack tells its consumers, as JSON; "" from a function of before.
    """

    secret: str
    version: str = ""
    awaited: bool = False
    published: str = ""
    consumers: list[ConsumerInFull] = []


class Standing(Answer):
    """Everything `status` says of one secret.

    removed: the catalogue has no policy of it any more; `policy` is that of the run that has left something open.
    """

    secret: str
    policy: PolicyInShort
    head: Head
    removed: bool = False
    last_run: Run | None = None
    rollback: Horizon | None = None
    freeze: Freeze | None = None
    emergency: Emergency | None = None
    approval: Approval | None = None
    consumers: list[Consumer] = []


class Execution(Answer):
    """An execution as its machine sees it: `status` as Step Functions names it; `trouble` is the last error in it."""

    status: str
    trouble: str = ""

    @property
    def running(self) -> bool:
        """Whether it may still change something."""
        return self.status == "RUNNING"
