"""What people see of consumers: in short with `status`, and one by one with the verb `consumers`. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rotation.control.acknowledge import clients
from rotation.control.awaited import Heard, hear, heard_of
from rotation.control.desk import Desk
from rotation.control.followed import followed
from rotation.control.versions import current_id
from rotation.ledger.leases import Lease
from rotation.ledger.records import Head
from rotation.policy import Policy

# An answer of the endpoint holds six megabytes, and a person reads less: live instances come first.
MOST_SHOWN = 1_000


def in_short(desk: Desk, policy: Policy, head: Head) -> list[dict[str, Any]]:
    """Per client `{name, state, live, acknowledged}`; nothing is read where the policy waits for nobody."""
    return [_short(one) for one in _heard(desk, policy, head)] if clients(policy) else []


def consumers(desk: Desk, secret: str) -> dict[str, Any]:
    """`{secret, version, awaited, published, consumers: [{name, state, live, acknowledged, instances: [...]}]}`.

    version: what is current, as consumers call it. awaited: whether the end of an overlap waits. published: what a
    consumer's KEYTURN_EVENTS is, "" from a function that was not told. Refused `unknown_secret`.
    """
    policy = followed(desk, secret).policy
    head, now = desk.ledger.head(policy.name), desk.ledger.now()
    heard = _heard(desk, policy, head) if clients(policy) else []
    shown = [{**_short(one), "instances": _instances([*one.live, *one.gone], one.version, now)} for one in heard]
    return {
        "secret": policy.name,
        "version": current_id(desk.ledger, head),
        "awaited": head.overlap is not None,
        "published": desk.published,
        "consumers": shown,
    }


def _heard(desk: Desk, policy: Policy, head: Head) -> list[Heard]:
    if head.overlap:
        return heard_of(desk, policy, head.overlap)
    # nothing is awaited: what has run out says nothing of now
    return hear(desk, policy, current_id(desk.ledger, head), since="~")


def _short(one: Heard) -> dict[str, Any]:
    return {"name": one.consumer, "state": one.state, "live": len(one.live), "acknowledged": len(one.on_it)}


def _instances(leases: Sequence[Lease], version: str, now: str) -> list[dict[str, Any]]:
    return [
        {
            "instance": one.instance,
            "version": one.version,
            "actor": one.actor,
            "seen_at": one.seen_at,
            "expires_at": one.expires_at,
            "live": one.live(now),
            "acknowledged_at": one.acknowledged.get(version, ""),
        }
        for one in leases[:MOST_SHOWN]
    ]
