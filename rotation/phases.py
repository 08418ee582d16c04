"""The one table of phases: order, which function runs each, its steps, and where a failure goes.

The state machines are generated from it (`definition`) and the in-process runner walks it (`runner`), so that order,
retries and compensation are written once. A phase is one invocation; its steps are recorded one by one in the ledger.
Phases that keep their place but are not built yet carry `planned`, the reason; neither walker enters them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What a phase returns; an exception means the unexpected, and the phase is retried as a whole."""

    PASSED = "passed"
    FAILED = "failed"
    # the phase looked and could not tell yet: look again after a pause
    UNOBSERVED = "unobserved"
    # a kill switch, freeze or report-only mode stopped the run before its next effect
    HALTED = "halted"
    # the run that was continued is only to be undone
    UNDO = "undo"
    # a person has to agree before the run goes on
    APPROVAL = "approval"
    # a person has done by hand all that there was to do: only the record is left
    DONE = "done"


class Where(StrEnum):
    """Which function runs a phase."""

    CONTROL = "control"
    STORE = "store"
    WAIT = "wait"


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One row of the table.

    steps: names in `steps.STEPS`, in order. on_failure: the phase that undoes what happened so far.
    looks: how often an `unobserved` phase looks again. planned: why the phase only keeps its place. on_undo: the phase
    that undoes a run which was continued for that only. on_approval: the phase that waits for a person, after which the
    run goes on as if this one had passed. by_token: it ends when its task token is answered, not with its invocation.
    """

    name: str
    where: Where
    steps: tuple[str, ...] = ()
    on_failure: str = "record_failure"
    looks: int = 0
    planned: str = ""
    on_undo: str = ""
    on_approval: str = ""
    by_token: bool = False


# A run that another execution continues waits until the invocation before has certainly ended: a function's timeout
# (60 s) in pauses of ten seconds, and one more.
LOOKS_AT_A_LATE_INVOCATION = 7
# A target may take a minute until it answers by what was changed (`settle_s`): in pauses of ten seconds, and one more.
LOOKS_WHILE_SETTLING = 7

ROTATE: tuple[Phase, ...] = (
    Phase(
        name="claim",
        where=Where.CONTROL,
        looks=LOOKS_AT_A_LATE_INVOCATION,
        on_undo="roll_back",
        on_approval="approve",
    ),
    Phase(
        name="prepare",
        where=Where.STORE,
        steps=("stage", "apply", "test"),
        on_failure="roll_back",
        looks=LOOKS_WHILE_SETTLING,
    ),
    Phase(name="warm_up", where=Where.WAIT),
    Phase(name="expose", where=Where.STORE, planned="canary cohorts"),
    Phase(name="observe", where=Where.STORE, planned="canary cohorts"),
    Phase(name="promote", where=Where.STORE, steps=("promote", "publish"), on_failure="roll_back"),
    Phase(name="propagate", where=Where.STORE, planned="consumers and further stores"),
    Phase(name="bake", where=Where.STORE, steps=("health",), on_failure="roll_back", looks=3),
    Phase(name="record", where=Where.CONTROL),
)

RETIRE: tuple[Phase, ...] = (
    Phase(name="gate", where=Where.CONTROL, looks=LOOKS_AT_A_LATE_INVOCATION),
    # not yet is a failure: the sweep looks before it starts a retirement again, so that no execution waits for days
    Phase(name="acknowledge", where=Where.CONTROL),
    Phase(
        name="retire",
        where=Where.STORE,
        steps=("witness", "revoke", "prove", "dispose", "publish_retired"),
        looks=LOOKS_WHILE_SETTLING,
    ),
    Phase(name="record", where=Where.CONTROL),
)

# Back to the version before: the target first, then the store. What it leaves behind is retired after an overlap.
ROLLBACK: tuple[Phase, ...] = (
    Phase(name="claim_rollback", where=Where.CONTROL, looks=LOOKS_AT_A_LATE_INVOCATION, on_undo="forgo"),
    Phase(
        name="revert",
        where=Where.STORE,
        steps=("reinstate", "retest", "revert", "publish_reverted"),
        on_failure="forgo",
        looks=LOOKS_WHILE_SETTLING,
    ),
    Phase(name="record", where=Where.CONTROL),
)

# Removes one pending version that no run owns, under a claim of its own.
REPAIR: tuple[Phase, ...] = (
    Phase(name="claim_repair", where=Where.CONTROL, looks=LOOKS_AT_A_LATE_INVOCATION),
    Phase(name="mend", where=Where.STORE, steps=("clear",)),
    Phase(name="record", where=Where.CONTROL),
)

# Undoing phases, one per machine, whatever the phase that failed: who continues a run enters an early one of a run that
# is promoted already. Steps run in this order, each skipped when there is nothing to undo.
UNDO: tuple[Phase, ...] = (
    Phase(name="roll_back", where=Where.STORE, steps=("restore", "demote", "publish_back", "withdraw", "abandon")),
    Phase(name="forgo", where=Where.STORE, steps=("forgo", "publish_forgone")),
)

# Waiting phases, which only runs enter that have to wait: no other run makes a transition for them.
ASIDE: tuple[Phase, ...] = (Phase(name="approve", where=Where.CONTROL, by_token=True),)

# Steps that are only entered to undo.
BACKWARDS = frozenset(step for phase in UNDO for step in phase.steps)

# Steps that only tell consumers what happened: no run is unfinished for want of one, the ledger's outbox sees to it.
TELLING = frozenset({"publish", "publish_back", "publish_forgone", "publish_retired", "publish_reverted"})


class Back(StrEnum):
    """What `keyturn rollback` does with a run that nobody works on."""

    UNDONE = "undoes it"
    GIVEN_UP = "gives it up: its overlap is open again, and the next rollback goes back"
    # it can but be gone on with
    NOT = ""


def way_out(machine: str, steps: Collection[str], *, emergency: bool, leaked: bool) -> Back:
    """How a run that got as far as `steps` is taken back. leaked: its overlap is one of an emergency."""
    if machine == "retire":
        return Back.NOT if leaked or "dispose" in steps else Back.GIVEN_UP
    if machine == "repair" or (emergency and "promote" in steps):
        return Back.NOT
    return Back.UNDONE


# By machine: `claim` and its like come first, whose answer the machine keeps as the run.
TABLES = {"rotate": ROTATE, "retire": RETIRE, "rollback": ROLLBACK, "repair": REPAIR}
FIRST = frozenset(table[0].name for table in TABLES.values())


def active(table: tuple[Phase, ...]) -> tuple[Phase, ...]:
    """The phases that are built, in order."""
    return tuple(phase for phase in table if not phase.planned)


def phase_named(name: str) -> Phase:
    """The row called `name` in any table; KeyError when there is none (an unknown phase is a failure)."""
    return _BY_NAME[name]


_BY_NAME = {phase.name: phase for table in (*TABLES.values(), UNDO, ASIDE) for phase in active(table)}
