"""The pivot and what follows it: before it all can be undone, after it all goes forward or back as one."""

from __future__ import annotations

from rotation.context import Context, version_facts
from rotation.contract import Probe, Verdict
from rotation.errors import Refused
from rotation.phases import Outcome, phase_named
from rotation.steps import in_place
from rotation.steps.settle import settling
from rotation.steps.step import StepResult


def promote(context: Context) -> StepResult:
    """Make the staged version current, if current still is the one this run started from."""
    staged = context.staged
    if staged is None:
        raise Refused("nothing_staged", "this run has staged nothing", "look with `keyturn history`")
    if context.issuer.capabilities.replaced_by_store:
        live, proof = in_place.promote(context, staged)
    else:
        live, proof = context.store.promote(context.policy.ref, context.run.run_id, staged, context.expected), {}
    return StepResult(facts={**version_facts(live), **_horizon(context), **proof})


def _horizon(context: Context) -> dict[str, str]:
    """How many versions back a rollback will reach: what the store keeps and what the target takes, the smaller."""
    kept, taken = context.store.capabilities.rollback_horizon, context.issuer.capabilities.rollback_horizon
    if kept is None or kept > taken:
        return {"horizon": str(taken), "limited_by": "target"}
    return {"horizon": str(kept), "limited_by": "store"}


def health(context: Context) -> StepResult:
    """Ask the target, as authority, whether it still holds what this run applied: nobody changed it meanwhile."""
    if not context.issuer.capabilities.has_target:
        return StepResult(facts={"verdict": "not-applicable"})
    probe = in_place.check(context) if context.issuer.capabilities.replaced_by_store else _check(context)
    facts = {"verdict": probe.verdict.value, "code": probe.code, "detail": probe.detail}
    if probe.verdict is Verdict.ACCEPTED:
        return StepResult(facts=facts)
    earlier = context.steps.get("health")
    looked = earlier.attempts if earlier else 1
    unsure = probe.verdict is Verdict.UNPROVEN and looked < phase_named("bake").looks
    if unsure or settling(context, "apply"):
        return StepResult(outcome=Outcome.UNOBSERVED, reason="health_unobserved", facts=facts)
    return StepResult(outcome=Outcome.FAILED, reason=f"health_{probe.verdict.value}", facts=facts)


def _check(context: Context) -> Probe:
    return context.issuer.check(context.public, context.applied)
