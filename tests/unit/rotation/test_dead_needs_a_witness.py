"""Nothing is called dead that was not seen to work just before it was revoked or replaced."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rotation.contract import Probe, Verdict, Version
from rotation.control.desk import run_id_of
from rotation.errors import Refused
from rotation.steps import in_place
from rotation.value import SecretValue
from tests.model.world import NAME, OVERLAP_S, World

OLD, NEW = SecretValue("old"), SecretValue("new")
STAGED, LIVE = Version(id="1"), Version(id="2")


def test_a_retirement_that_never_saw_the_old_one_accepted_vouches_for_it_to_no_later_one(world: World) -> None:
    old = world.current()
    assert world.rotate("arn:2") == "succeeded"
    world.clock.advance(OVERLAP_S)
    world.target.tokens.pop(old["slot"])
    world.target.broken["revoke"] = Refused("no", "no")
    assert world.retire("arn:broken") == "failed"
    overlap = world.ledger.head(NAME).overlap
    assert overlap is not None
    assert overlap.witnessed_by == ""
    world.target.broken.clear()
    assert world.retire("arn:again") == "succeeded"
    facts = world.ledger.run(run_id_of("arn:again"))[1]["prove"].facts
    assert (facts["old_verdict"], facts["proof"]) == ("refused", "unproven")


class Replacing:
    """A store and a target that replace the old value by the new one; `old` is what the target says to it after."""

    def __init__(self, before: Verdict, old: Verdict) -> None:
        self._says, self._after = before, old

    def promote(self, *_: object) -> Version:
        self._says = self._after
        return LIVE

    def probe(self, value: SecretValue) -> Probe:
        return Probe(verdict=self._says if value == OLD else Verdict.ACCEPTED)

    def facts(self) -> dict[str, str]:
        """What the promotion is recorded with."""
        context: Any = SimpleNamespace(
            store=self,
            issuer=self,
            read=lambda version: OLD if version == STAGED else NEW,
            policy=SimpleNamespace(ref=None),
            run=SimpleNamespace(run_id="r"),
            expected=None,
            values={},
        )
        live, facts = in_place.promote(context, STAGED)
        assert live == LIVE
        return facts


@pytest.mark.parametrize(
    ("before", "old", "proof"),
    [
        (Verdict.ACCEPTED, Verdict.REFUSED, "dead"),
        (Verdict.ACCEPTED, Verdict.ACCEPTED, "alive"),
        (Verdict.ACCEPTED, Verdict.UNPROVEN, "unproven"),
        (Verdict.REFUSED, Verdict.REFUSED, "unproven"),
        (Verdict.UNPROVEN, Verdict.REFUSED, "unproven"),
    ],
)
def test_what_a_store_replaces_in_its_place_is_dead_only_if_it_was_accepted_before_and_is_refused_after(
    before: Verdict, old: Verdict, proof: str
) -> None:
    assert Replacing(before, old).facts()["proof"] == proof
