"""The world of any order in which runs wait: for somebody who agrees, and for every live instance to acknowledge.

What an instance uses is kept beside the ledger, as it wrote it: since when without a break, and until when. So the
invariants judge a retirement by what was true, and not by what its gate wrote down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rotation.control.table import VERBS
from rotation.control.versions import known_ids, new_id
from rotation.ledger.moments import timestamp
from rotation.policy import Approval, Consumer
from tests.model.world import NAME, POLICY, ModelCatalogue
from tests.property import quiet
from tests.property.any_order_world import AnyOrderWorld
from tests.property.executions import Execution, Invocation

# Shorter than a function's timeout, so that requests do expire in a storm; longer than a phase takes.
EXPIRES_S = 60
# Longer than the sweep's patience: instances die by themselves now and then, not at every look.
LEASE_S = 1_000
_ROLE = "arn:aws:iam::000000000000:role/web"
_REPLICA = "arn:aws:sts::000000000000:assumed-role/web/task"


def _session(role: str, name: str) -> str:
    return f"arn:aws:sts::000000000000:assumed-role/{role}/{name}"


# Who asks for runs, and who answers: two of them do both, one of whom under another role; one may not answer at all.
ALICE, ALICE_AS_OTHER, BOB, MALLORY = (
    _session("lead", "alice"),
    _session("dev", "alice"),
    _session("lead", "bob"),
    _session("guest", "mallory"),
)
REQUESTERS, ANSWERERS = (ALICE, ALICE_AS_OTHER, BOB), (ALICE, BOB, MALLORY)
INSTANCES = ("one", "two", "three")
WAITING = replace(
    POLICY,
    approval=Approval(approvers=("lead",), expires_s=EXPIRES_S),
    consumers=(Consumer(name="web", kind="client", lead_s=1, role=_ROLE),),
    acknowledge_s=EXPIRES_S,
)


@dataclass
class Instance:
    """What one says it uses, since when (of `elapsed`) without a break, and until when (of the clock)."""

    version: str
    since: float
    expires_at: str


def person(actor: str) -> str:
    """Whose session it is."""
    return actor.rpartition("/")[2]


class Tokens:
    """Task tokens: the first answer is the one that counts."""

    def __init__(self, said: dict[str, Mapping[str, Any]]) -> None:
        self._said = said

    def answer(self, token: str, answer: Mapping[str, Any]) -> None:
        self._said.setdefault(token, answer)


class WaitingWorld(AnyOrderWorld):
    """`cut_off`: retirements that revoked what a live instance used, or what nobody had acknowledged instead of it."""

    def __init__(self) -> None:
        super().__init__()
        self.instances: dict[str, Instance] = {}
        self.acknowledged: set[str] = set()
        self.revoked: set[str] = set()
        self.gates: dict[tuple[str, int], float] = {}
        self.cut_off: list[str] = []
        catalogue: Any = ModelCatalogue({NAME: WAITING})
        self.desk = replace(self.desk, catalogue=catalogue, tokens=self._port(Tokens(self.said), "tokens"))
        self.rows.written = self._written
        self.target.watched = self._watched
        self._time_passes(self.clock)

    def _time_passes(self, clock: Any) -> None:
        """Whose lease has run out by the clock at any moment is not held to have lived on."""
        advance = clock.advance

        def advanced(seconds: float) -> None:
            advance(seconds)
            now = timestamp(clock())
            self.instances = {name: one for name, one in self.instances.items() if one.expires_at > now}

        clock.advance = advanced

    def _written(self, row: Mapping[str, Any]) -> None:
        """What an instance uses, as the ledger has it from now on."""
        if "instance" not in row:
            return
        known, version = self.instances.get(row["instance"]), row["version"]
        since = known.since if known and known.version == version else self.elapsed
        self.instances[row["instance"]] = Instance(version, since, row["expires_at"])
        self.acknowledged.add(version)

    def _watched(self, effect: str, run_id: str) -> None:
        """A run's first revocation: who lived on something else since before its gate was asked must be spared."""
        run, steps = self.whole_ledger.run(run_id)
        overlap = run.overlap
        if effect != "revoke" or run.machine != "retire" or overlap is None or run_id in self.revoked:
            return
        self.revoked.add(run_id)
        if run.emergency or overlap.emergency or overlap.witnessed_by:
            return
        gate, asked = steps.get("acknowledge"), self.gates.get((run_id, run.epoch))
        if run.unacknowledged and gate and gate.facts.get("why") and gate.facts.get("passed_by") == run.requested_by:
            return
        version = new_id(self.whole_ledger, NAME, overlap)
        others = {name: one for name, one in self.instances.items() if one.version != version}
        if asked is None or version not in self.acknowledged:
            self.cut_off.append("nobody has acknowledged what took its place")
        elif behind := sorted(name for name, one in others.items() if one.since < asked):
            self.cut_off.append(f"used by {', '.join(behind)}")

    def invoke(self, payload: Mapping[str, Any], execution: Execution | None = None) -> Invocation:
        if payload["phase"] == "acknowledge":
            self.gates.setdefault((payload["run_id"], payload["epoch"]), self.elapsed)
        return super().invoke(payload, execution)

    def ask(self, verb: str, **fields: Any) -> Invocation:
        """Whoever asks is one of several people; who closes an overlap cuts off whoever is behind every other time."""
        by = {
            "requested_by": REQUESTERS[self.verbs_asked % len(REQUESTERS)],
            "unacknowledged": self.verbs_asked % 2 > 0,
        }
        return super().ask(verb, **{**by, **fields})

    def acknowledges(self, instance: str, version: str) -> Invocation:
        """An instance says what it uses."""
        said = {"consumer": "web", "instance": instance, "version": version, "lease_s": LEASE_S}
        return self.ask("acknowledge", **said, requested_by=_REPLICA)

    def people(self) -> bool:
        """Whoever is alive uses what is current, one at least; somebody else agrees to what waits."""
        self.catch_up()
        return self.agree()

    def catch_up(self) -> None:
        """Whoever is alive uses what is current, one at least."""
        current = known_ids(self.whole_ledger, NAME).current
        for instance in (*self.instances,) or INSTANCES[:1] if current else ():
            quiet.finish(self, self.acknowledges(instance, current))

    def agree(self) -> bool:
        """Somebody else agrees to what waits; whether there was anything."""
        waiting = VERBS["approvals"](replace(self.desk, ledger=self.whole_ledger), {})
        agreed = [self._agrees(one) for one in waiting]
        return any(agreed)

    def _agrees(self, one: Mapping[str, Any]) -> bool:
        actor = next(who for who in (ALICE, BOB) if person(who) != person(one["requested_by"]))
        asked = self.ask("approve", run_id=one["run_id"], requested_by=actor)
        quiet.finish(self, asked)
        return asked.strand.error is None
