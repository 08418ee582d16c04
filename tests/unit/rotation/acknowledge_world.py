"""A secret with one client, whose replicas acknowledge through the verb as the endpoint calls it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rotation.control.table import VERBS
from rotation.ledger.records import Overlap
from rotation.policy import Consumer, Policy
from tests.model.world import NAME, OVERLAP_S, POLICY, ModelCatalogue, World

ACKNOWLEDGE_S = 3_600
LEASE_S = 300
ROLE = "arn:aws:iam::111122223333:role/service/web"
ACTOR = "arn:aws:sts::111122223333:assumed-role/web/i-0abc"
STRANGER = "arn:aws:sts::111122223333:assumed-role/batch/i-0abc"
WHO = {"requested_by": "arn:on-call", "reason": "the replica is gone for good"}


def client(name: str = "web", *, role: str = ROLE, kind: str = "client") -> Consumer:
    """One consumer of a policy."""
    return Consumer(name=name, kind=kind, lead_s=1, role=role)


def awaiting(*consumers: Consumer) -> Policy:
    """The model's policy, waiting for these."""
    return replace(POLICY, consumers=consumers, acknowledge_s=ACKNOWLEDGE_S)


class Replicas(World):
    """Two rotations are done, the overlap of the second is open; nobody has said anything."""

    def __init__(self, policy: Policy | None = None) -> None:
        super().__init__()
        catalogue = ModelCatalogue({NAME: policy or awaiting(client())})
        self.desk = replace(self.desk, catalogue=catalogue)  # type: ignore[arg-type]
        assert self.rotate("arn:first") == "succeeded"
        self.clock.advance(1)
        assert self.rotate("arn:second") == "succeeded"

    @property
    def overlap(self) -> Overlap:
        """The one that is open."""
        found = self.ledger.head(NAME).overlap
        assert found is not None
        return found

    @property
    def new(self) -> str:
        return self.overlap.new_id

    @property
    def old(self) -> str:
        return self.overlap.old_id

    def say(self, instance: str, version: str, *, actor: str = ACTOR, **more: Any) -> dict[str, str]:
        """One message, as the endpoint hands it over."""
        said = {"secret": NAME, "consumer": "web", "instance": instance, "version": version, "lease_s": LEASE_S}
        kept: dict[str, str] = VERBS["acknowledge"](self.desk, {**said, **more, "requested_by": actor})
        return kept

    def over(self) -> None:
        """The overlap's time has passed."""
        self.clock.advance(OVERLAP_S)
