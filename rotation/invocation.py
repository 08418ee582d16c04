"""One invocation: walk the steps of one phase, intent before and outcome after each, and answer with data.

A definite refusal is an outcome; what may pass by itself (throttled, unavailable) is raised, for the state machine to
retry the phase as a whole. Steps that are recorded as done are not repeated.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict

from rotation.context import Context, version_in
from rotation.errors import Halted, KeyturnError, Throttled, Unavailable
from rotation.ledger.records import StepRecord
from rotation.ledger.rows import Write
from rotation.phases import BACKWARDS, TELLING, Outcome, Phase
from rotation.steps import STEPS
from rotation.steps.publish import untold
from rotation.steps.step import Step, StepResult


class Answer(TypedDict):
    """What a phase answers the state machine."""

    outcome: str
    reason: str


def run_phase(context: Context, phase: Phase) -> Answer:
    """Walk the phase's steps; returns the first outcome that is not `passed`. Raises Throttled and Unavailable."""
    if _turned(context, phase):
        return Answer(outcome=Outcome.FAILED, reason="undo_begun")
    closing: StepRecord | None = None
    for name in phase.steps:
        earlier = context.steps.get(name)
        if earlier is not None and _stands(earlier, context.run.epoch):
            if earlier.facts["outcome"] == Outcome.PASSED:
                continue
            return _answer(earlier)
        if not STEPS[name].applies(context):
            continue
        try:
            closing = _one_step(context, phase, name, closing)
        except (Throttled, Unavailable):
            raise
        except KeyturnError as exc:
            return _refused(context, name, exc)
        if closing.facts["outcome"] != Outcome.PASSED:
            break
    if closing is not None:
        _close(context, phase, closing)
    return _answer(closing) if closing is not None else Answer(outcome=Outcome.PASSED, reason="")


def _turned(context: Context, phase: Phase) -> bool:
    """Whether the phase goes forward although the run is being undone: its event came twice, or late."""
    return not BACKWARDS.isdisjoint(context.steps) and BACKWARDS.isdisjoint(phase.steps)


def _stands(record: StepRecord, epoch: int) -> bool:
    """Whether an outcome is final: a look that told nothing is repeated, a failure by whoever takes the run over."""
    outcome = record.facts.get("outcome")
    return record.done and (outcome == Outcome.PASSED or (outcome == Outcome.FAILED and record.epoch == epoch))


def _one_step(context: Context, phase: Phase, name: str, closing: StepRecord | None) -> StepRecord:
    step = STEPS[name]
    if closing is not None and (STEPS[closing.step].moves_current or not TELLING.isdisjoint({name, closing.step})):
        _close(context, phase, closing)
        closing = None
    before = context.meter.totals()
    earlier = context.steps.get(name)
    now = context.ledger.now()
    record = StepRecord(
        step=name,
        phase=phase.name,
        intent_at=earlier.intent_at if earlier else now,
        begun_at=now,
        intent=step.intend(context),
        attempts=earlier.attempts + 1 if earlier else 1,
        fenced=step.fenced(context),
        epoch=context.run.epoch,
    )
    context.ledger.begin(context.run, record, closing=closing, undoing=step.undoes)
    context.steps[name] = record
    result = step.act(context)
    done = _done(context, record, result, before)
    context.steps[name] = done
    return done


def _done(context: Context, record: StepRecord, result: StepResult, before: dict[str, int]) -> StepRecord:
    after = context.meter.totals()
    return replace(
        record,
        outcome_at=context.ledger.now(),
        facts={**result.facts, "outcome": result.outcome.value, "reason": result.reason},
        calls={kind: count - before.get(kind, 0) for kind, count in after.items() if count > before.get(kind, 0)},
    )


def _close(context: Context, phase: Phase, record: StepRecord) -> None:
    more = _to_tell(context, phase, record)
    if not _moved(STEPS[record.step], record):
        context.ledger.finish(context.run, record, *more)
        return
    head = context.ledger.head(context.run.secret)
    staged = context.staged
    token = staged.id if staged else head.pending_token
    context.ledger.promoted(context.run, record, head, version_in(record), token, *more)


def _to_tell(context: Context, phase: Phase, record: StepRecord) -> list[Write]:
    """What the outbox is given with an outcome: what consumers are to be told of it, until they have been."""
    secret, run_id, outbox = context.run.secret, context.run.run_id, context.ledger.outbox
    if record.step in TELLING:
        return [] if untold({record.step: record}) else [outbox.sent(secret, run_id, record.step)]
    told_by = [name for name in phase.steps if name in TELLING and name not in context.steps]
    return [outbox.kept(secret, run_id, name) for name in told_by if STEPS[name].applies(context)]


def _moved(step: Step, record: StepRecord) -> bool:
    return step.moves_current and record.facts["outcome"] == Outcome.PASSED and version_in(record) is not None


def _refused(context: Context, name: str, exc: KeyturnError) -> Answer:
    """A definite refusal, recorded where a step was begun; the claim may be lost, then nothing can be written."""
    if isinstance(exc, Halted):
        return Answer(outcome=Outcome.HALTED, reason=exc.reason)
    record = context.steps.get(name)
    if record is not None and not record.done:
        facts = {"outcome": Outcome.FAILED.value, "reason": exc.reason, "message": exc.message}
        try:
            context.ledger.finish(context.run, replace(record, outcome_at=context.ledger.now(), facts=facts))
        except (Throttled, Unavailable):
            raise
        except KeyturnError:
            return Answer(outcome=Outcome.FAILED, reason=exc.reason)
    return Answer(outcome=Outcome.FAILED, reason=exc.reason)


def _answer(record: StepRecord) -> Answer:
    return Answer(outcome=record.facts["outcome"], reason=record.facts["reason"])
