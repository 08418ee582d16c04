"""Before the pivot: mint and stage the new credential, make the target accept it, test it as a consumer would.

The value is staged in the store before the target hears of it, so that it can never be set there and then be lost.
Where the target makes it itself, `issue` says what holds instead.
"""

from __future__ import annotations

from rotation.context import Context, version_facts
from rotation.contract import Observation, Verdict, Version
from rotation.errors import Conflict, Refused
from rotation.phases import Outcome
from rotation.steps import issue
from rotation.steps.settle import settling
from rotation.steps.step import StepResult
from rotation.steps.undo import settle_leftover
from rotation.value import SecretValue

# Marks the freshly minted value among the values of an invocation until the store has named its version.
_MINTED = Version(id="minted")


def intend_stage(context: Context) -> dict[str, str]:
    """Look at the store and mint in memory; the intent remembers what recovery needs to recognise the version.

    Where the target mints, it is looked at instead, and nothing is made before the intent is written.
    """
    earlier = context.steps.get("stage")
    if earlier is not None and _found_again(context, earlier.intent):
        return earlier.intent
    settle_leftover(context)
    seen = observe(context)
    _check_unmoved(context, seen)
    needs = context.issuer.capabilities.needs_current and seen.current is not None
    current = _current_value(context, seen) if needs else None
    context.seen = seen
    at_target = context.issuer.capabilities.mints_at_target
    return {
        **(issue.intend(context, earlier, current) if at_target else _mint(context, current)),
        "expected": _newest(context, seen),
        "from_version": seen.current.id if seen.current else "",
        "from_path": seen.current.path if seen.current else "",
    }


def _mint(context: Context, current: SecretValue | None) -> dict[str, str]:
    minted = context.issuer.mint(current)
    context.values[_MINTED] = minted.value
    public = {f"public_{name}": text for name, text in minted.public.items()}
    return {**public, "fingerprint": minted.value.fingerprint()}


def _check_unmoved(context: Context, seen: Observation) -> None:
    """From somebody else's version nothing may start: what the ledger calls current would be forgotten, still valid."""
    known = context.remembered.current
    if known is not None and seen.current is not None and seen.current.id != known.id:
        raise Conflict(
            "current_moved",
            f"readers of {context.policy.name} get version {seen.current.id}, which Keyturn did not make current",
            f"`keyturn repair {context.policy.name}` shows it, and what it takes to go on",
        )


def _newest(context: Context, seen: Observation) -> str:
    """The newest version the run can know of; where ids are numbers, an abandoned one may be above the current."""
    current = seen.current.id if seen.current else ""
    last_staged = context.remembered.pending_token
    if last_staged.isdigit() and (current.isdigit() or not current):
        return max(current or "0", last_staged, key=int)
    return current


def _found_again(context: Context, intent: dict[str, str]) -> bool:
    """After a crash: whether the store has this run's version already; it is then used, never minted again."""
    staged = context.store.find_staged(context.policy.ref, context.run.run_id, intent)
    context.recovered = staged
    return staged is not None


def observe(context: Context) -> Observation:
    """What the store shows, with what the ledger remembers where a store keeps no pointer of its own."""
    return context.store.observe(context.policy.ref, context.remembered)


def _current_value(context: Context, seen: Observation) -> SecretValue | None:
    if seen.value is not None or seen.current is None:
        return seen.value
    return context.read(seen.current)


def stage(context: Context) -> StepResult:
    """Put the minted value in the pending place (one write), or take the one found there after a crash."""
    at_target = context.issuer.capabilities.mints_at_target
    if context.recovered is not None:
        told = issue.facts_of(issue.found(context, context.recovered)) if at_target else {}
        return StepResult(facts={**version_facts(context.recovered), **told})
    if context.seen is None:
        raise Refused("stage_without_look", "the step `stage` was entered without its look at the store")
    if not at_target:
        return StepResult(facts=version_facts(_staged_now(context, context.seen, context.values.pop(_MINTED))))
    minted = issue.make(context)
    staged = _staged_now(context, context.seen, minted.value)
    return StepResult(facts={**version_facts(staged), **issue.facts_of(minted)})


def _staged_now(context: Context, seen: Observation, value: SecretValue) -> Version:
    staged = context.store.stage(context.policy.ref, context.run.run_id, value, seen)
    if not context.issuer.capabilities.replaced_by_store:
        context.values[staged] = value
    return staged


def apply(context: Context) -> StepResult:
    """Make the target accept the staged value beside the current one."""
    context.issuer.apply(context.read(_staged(context)), context.fence)
    return StepResult()


def test(context: Context) -> StepResult:
    """Show the staged value to the target as a consumer would."""
    if not context.issuer.capabilities.has_target:
        return StepResult(facts={"verdict": "not-applicable"})
    probe = context.issuer.probe(context.read(_staged(context)))
    facts = {"verdict": probe.verdict.value, "code": probe.code, "detail": probe.detail}
    if probe.verdict is Verdict.ACCEPTED:
        return StepResult(facts=facts)
    if settling(context, "apply"):
        return StepResult(outcome=Outcome.UNOBSERVED, reason="test_settling", facts=facts)
    return StepResult(outcome=Outcome.FAILED, reason=f"test_{probe.verdict.value}", facts=facts)


def _staged(context: Context) -> Version:
    staged = context.staged
    if staged is None:
        raise Refused("nothing_staged", "this run has staged nothing", "look with `keyturn history`")
    return staged
