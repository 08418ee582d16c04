"""The end of an overlap believes only what the target said: a new credential that is not accepted proves nothing."""

from __future__ import annotations

import pytest

from rotation.contract import Probe, Verdict
from rotation.control.desk import run_id_of
from rotation.value import SecretValue
from tests.model.target import ModelIssuer
from tests.model.world import NAME, OVERLAP_S, World


@pytest.fixture
def world() -> World:
    """A secret whose overlap is over."""
    made = World()
    for execution in ("arn:1", "arn:2"):
        assert made.rotate(execution) == "succeeded"
    made.clock.advance(OVERLAP_S)
    return made


@pytest.mark.parametrize(
    ("verdict", "reason"), [(Verdict.REFUSED, "new_not_accepted"), (Verdict.UNPROVEN, "new_unproven")]
)
def test_a_new_credential_that_is_refused_or_cannot_be_shown_saves_the_old_one_and_says_which(
    world: World, verdict: Verdict, reason: str
) -> None:
    before = dict(world.target.tokens)
    world.target.broken["probe"] = verdict
    assert world.retire("arn:retire") == "failed"
    run, steps = world.ledger.run(run_id_of("arn:retire"))
    assert run.failure == {"phase": "retire", "reason": reason}
    assert steps["witness"].facts["new_verdict"] == verdict.value
    assert world.target.tokens == before
    assert world.ledger.head(NAME).overlap is not None


@pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.UNPROVEN])
def test_an_old_credential_is_not_called_dead_while_the_new_one_is_not_accepted_beside_it(
    world: World, monkeypatch: pytest.MonkeyPatch, verdict: Verdict
) -> None:
    probe, new = ModelIssuer.probe, world.current()

    def lost_with_the_revoke(issuer: ModelIssuer, value: SecretValue) -> Probe:
        revoked = any(effect.startswith("revoke") for effect in world.target.effects)
        return Probe(verdict=verdict) if revoked and value.unsafe_fields() == new else probe(issuer, value)

    monkeypatch.setattr(ModelIssuer, "probe", lost_with_the_revoke)
    assert world.retire("arn:retire") == "failed"
    run, steps = world.ledger.run(run_id_of("arn:retire"))
    facts = steps["prove"].facts
    assert (facts["old_verdict"], facts["new_verdict"]) == (Verdict.REFUSED.value, verdict.value)
    assert (run.failure["reason"], facts["proof"]) == ("old_unproven", "unproven")
    assert "dispose" not in steps, "the old version is given up without a proof"
    assert world.ledger.head(NAME).overlap is not None
