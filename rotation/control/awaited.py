"""What consumers have acknowledged, and whether the end of an overlap may go on.

It may when every live lease of each client says the new version, and each client has been heard with it at least once:
an instance that died after acknowledging has been heard, a consumer that never leased anything is unknown, and unknown
is never verified. Time alone never opens the gate: at the deadline somebody is told. It is passed by a person with a
reason, and in an emergency, because an old credential that leaked must not live on for a consumer that is silent.
An execution does not wait: the sweep looks here before it starts one. Not here: who may acknowledge (`acknowledge`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rotation.control.acknowledge import clients
from rotation.control.asked import EMERGENCY, UNACKNOWLEDGED
from rotation.control.desk import Desk
from rotation.control.followed import followed
from rotation.control.signals import Finding
from rotation.control.versions import new_id
from rotation.errors import Halted, KeyturnError, NotFound, Refused, Throttled, Unavailable
from rotation.invocation import Answer
from rotation.ledger.leases import Lease
from rotation.ledger.moments import timestamp
from rotation.ledger.records import Head, Overlap, Run, StepRecord
from rotation.phases import Outcome
from rotation.policy import Policy, from_document

PHASE = "acknowledge"
NOT_ACKNOWLEDGED = "not_acknowledged"
# Instances that a run's record names of each kind: with a reader's eye in mind, and some kilobytes of a row.
_NAMED = 40
# A lease that ran out this long ago is of no use to anybody who looks what happened.
_FORGOTTEN_AFTER = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One consumer and its leases. `version`: the one that is awaited. gone: leases that have run out.

    since: when the rotation of that version began; what ran out counts if it was heard after that.
    """

    consumer: str
    version: str
    live: tuple[Lease, ...]
    gone: tuple[Lease, ...]
    since: str

    @property
    def on_it(self) -> tuple[Lease, ...]:
        """Live instances that use the awaited version."""
        return tuple(one for one in self.live if one.version == self.version)

    @property
    def behind(self) -> tuple[Lease, ...]:
        """Live instances that use another one."""
        return tuple(one for one in self.live if one.version != self.version)

    @property
    def died(self) -> tuple[Lease, ...]:
        """Instances that used it, and were not heard of since."""
        return tuple(one for one in self.gone if one.version == self.version and one.seen_at >= self.since)

    @property
    def state(self) -> str:
        """`acknowledged`; `behind`: a live instance uses another one; `silent`: none left; `unknown`: never heard."""
        if self.behind:
            return "behind"
        if self.on_it or self.died:
            return "acknowledged"
        return "silent" if self.gone else "unknown"


def hear(desk: Desk, policy: Policy, version: str, since: str) -> list[Heard]:
    """Every client of a policy, by its leases now."""
    now, leases = desk.ledger.now(), desk.ledger.leases.of(policy.name)
    return [
        Heard(
            consumer=one.name,
            version=version,
            since=since,
            live=tuple(lease for lease in leases if lease.consumer == one.name and lease.live(now)),
            gone=tuple(lease for lease in leases if lease.consumer == one.name and not lease.live(now)),
        )
        for one in clients(policy)
    ]


def heard_of(desk: Desk, policy: Policy, overlap: Overlap) -> list[Heard]:
    """Every client of a policy, by what the end of an overlap waits for."""
    return hear(desk, policy, new_id(desk.ledger, policy.name, overlap), _since(desk, overlap))


def check(desk: Desk, policy: Policy, flags: str) -> None:
    """Refused `not_acknowledged` where a person would end an overlap that consumers still need."""
    if not {EMERGENCY, UNACKNOWLEDGED}.isdisjoint(flags.split()):
        return
    if missing := awaited_by(desk, policy, desk.ledger.head(policy.name).overlap):
        raise Refused(
            NOT_ACKNOWLEDGED,
            f"not every consumer of {policy.name} uses the new credential: {_listed(missing)}",
            f"`keyturn consumers {policy.name}` shows them; `keyturn overlap close {policy.name} "
            "--without-acknowledgements --reason WHY` cuts them off",
        )


def awaited_by(desk: Desk, policy: Policy, overlap: Overlap | None) -> list[str]:
    """What the end of an overlap waits for: instances that are behind, and consumers of which nobody was heard."""
    if overlap is None or _spared(overlap) or not clients(policy):
        return []
    return _missing(heard_of(desk, policy, overlap))


def waits(desk: Desk, head: Head) -> bool:
    """Whether the end of the head's overlap still waits for consumers; at the deadline that is told, at every look."""
    overlap = head.overlap
    if overlap is None or _spared(overlap):
        return False
    policy = followed(desk, head.secret).policy
    if not awaited_by(desk, policy, overlap):
        return False
    deadline = datetime.fromisoformat(overlap.retire_at) + timedelta(seconds=policy.acknowledge_s)
    if desk.ledger.now() >= timestamp(deadline):
        desk.signals.tell(Finding.NOT_ACKNOWLEDGED)
    return True


def gate(desk: Desk, run_id: str) -> Answer:
    """The phase: `passed`, or `failed` with `not_acknowledged`. What was heard is kept as the run's step.

    Nothing is looked at, and nothing kept, where the policy waits for nobody.
    """
    run, steps = desk.ledger.run(run_id)
    policy = from_document(run.policy)
    if run.overlap is None or not clients(policy) or "revoke" in steps:
        # one that has begun to revoke goes on: the old credential may be dead already
        return _answer(Outcome.PASSED)
    heard = heard_of(desk, policy, run.overlap)
    missing, why = _missing(heard), _passes(run, run.overlap)
    passes = not missing or bool(why)
    answer = _answer(Outcome.PASSED) if passes else _answer(Outcome.FAILED, NOT_ACKNOWLEDGED)
    ended = {"outcome": answer["outcome"], "reason": answer["reason"]}
    try:
        _keep(desk, run, steps.get(PHASE), {**_facts(heard, missing), **(why if missing else {}), **ended})
    except Halted as exc:
        return _answer(Outcome.HALTED, exc.reason)
    except (Throttled, Unavailable):
        raise
    except KeyturnError as exc:
        return _answer(Outcome.FAILED, exc.reason)
    if passes:
        long_ago = datetime.fromisoformat(desk.ledger.now()) - _FORGOTTEN_AFTER
        desk.ledger.leases.forget([lease for one in heard for lease in one.gone], timestamp(long_ago))
    return answer


def _answer(outcome: Outcome, reason: str = "") -> Answer:
    return Answer(outcome=outcome.value, reason=reason)


def _spared(overlap: Overlap) -> bool:
    """The old credential must not be used any more, or may be dead already."""
    return overlap.emergency or bool(overlap.witnessed_by)


def _passes(run: Run, overlap: Overlap) -> dict[str, str]:
    """Why a run passes that was not acknowledged, as facts; empty where it does not."""
    if run.unacknowledged:
        return {"passed_by": run.requested_by, "why": run.reason}
    if run.emergency or overlap.emergency:
        return {"passed_by": "emergency", "why": run.reason}
    return {"passed_by": overlap.witnessed_by, "why": "it began to revoke"} if overlap.witnessed_by else {}


def _since(desk: Desk, overlap: Overlap) -> str:
    try:
        return desk.ledger.run(overlap.run_id)[0].started_at if overlap.run_id else "~"
    except NotFound:
        # nobody can say when: what has run out counts for nothing
        return "~"


def _missing(heard: Sequence[Heard]) -> list[str]:
    """What keeps the gate closed: instances by name, and consumers of which nobody was heard."""
    behind = [_name(lease) for one in heard for lease in one.behind]
    return behind + [f"{one.consumer} ({one.state})" for one in heard if one.state in ("silent", "unknown")]


def _facts(heard: Sequence[Heard], missing: Sequence[str]) -> dict[str, str]:
    said = [f"{_name(lease)} {lease.acknowledged.get(one.version, '')}" for one in heard for lease in one.on_it]
    died = [f"{_name(lease)} {lease.seen_at}" for one in heard for lease in one.died]
    lost = [_name(lease) for one in heard for lease in one.gone if lease not in one.died]
    lists = {"acknowledged": said, "died_after": died, "ran_out": lost, "missing": missing}
    return {
        "version": heard[0].version,
        "consumers": ", ".join(f"{one.consumer} {len(one.on_it)} of {len(one.live)}: {one.state}" for one in heard),
        **{name: _listed(found) for name, found in lists.items() if found},
    }


def _name(lease: Lease) -> str:
    return f"{lease.consumer}/{lease.instance}"


def _listed(names: Sequence[str]) -> str:
    more = [f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return "; ".join([*names[:_NAMED], *more])


def _keep(desk: Desk, run: Run, earlier: StepRecord | None, facts: Mapping[str, str]) -> None:
    """One write: it changes nothing that a crash could leave half done."""
    now = desk.ledger.now()
    record = StepRecord(
        step=PHASE,
        phase=PHASE,
        intent_at=earlier.intent_at if earlier else now,
        begun_at=now,
        outcome_at=now,
        facts=dict(facts),
        attempts=earlier.attempts + 1 if earlier else 1,
        epoch=run.epoch,
    )
    desk.ledger.begin(run, record)
