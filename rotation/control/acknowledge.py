"""An instance of a consumer says which version it really uses, and renews that as a lease.

Who says so is who IAM verified: only the role that the policy names for the consumer is believed, whatever the message
says of its sender. A message is accepted again as often as it comes; one that comes late does not take an instance back
from the newer version, so an instance that is started again has to have a new name. One policy, the head and the
instance's own row are read, and one row is written. Not here: what a retirement makes of it (`awaited`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from rotation.control.desk import Desk
from rotation.control.followed import followed
from rotation.control.versions import Ids, known_ids
from rotation.errors import Denied, Refused, Unavailable
from rotation.event_fields import number, text
from rotation.ledger.leases import Lease
from rotation.ledger.moments import timestamp
from rotation.policy import Consumer, Policy

# The kind of consumer that acknowledges.
CLIENT = "client"
# Below this an instance would ask the endpoint every few seconds; above, one that died delays a retirement by more than
# an hour.
MIN_LEASE_S, MAX_LEASE_S = 10, 3_600
# As policies are named; whoever acknowledges is no person, so that nothing else gets as far as the catalogue.
_SECRET = re.compile(r"[A-Za-z0-9/_-]{1,256}")
# Host name, process number and a suffix fit in; nothing that could be taken for a part of a key.
_INSTANCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}")
# A role by its own ARN, whose path names are no part of its name, or by that of a session, which has no path.
_ROLE = re.compile(r"arn:[a-z-]+:(?:iam::(\d{12}):role/(?:[^/]+/)*|sts::(\d{12}):assumed-role/)([^/]+)(?:/[^/]+)?")
# Messages of one instance follow each other: one that meets another twice in a row is sent again by the client.
_ATTEMPTS = 3
# Enough to tell where an instance was before; each is some 60 bytes of every row.
_VERSIONS_KEPT = 4


def acknowledge(desk: Desk, message: Mapping[str, Any], actor: str) -> dict[str, str]:
    """Keep what an instance says: `{secret, consumer, instance, version | store_version, lease_s}`.

    Returns `{secret, consumer, instance, version, expires_at}` as it is kept.

    Raises:
        Refused: `unknown_secret`, `unknown_consumer`, `unknown_version`, `bad_lease`, `bad_instance`, `bad_event`.
        Denied: `not_this_consumer`.
        Unavailable: `lease_taken`, while other messages of the same instance are faster.
    """
    instance, lease_s = _instance(text(message, "instance")), _lease_s(number(message, "lease_s"))
    policy = followed(desk, _secret(text(message, "secret"))).policy
    consumer = _consumer(policy, text(message, "consumer"), actor)
    said = message.get("version") or text(message, "store_version")
    ids = known_ids(desk.ledger, policy.name)
    version = ids.named(str(said)) or _unknown(policy.name)
    for _ in range(_ATTEMPTS):
        now = desk.ledger.now()
        seen = desk.ledger.leases.one(policy.name, consumer.name, instance)
        made = Lease(
            secret=policy.name,
            consumer=consumer.name,
            instance=instance,
            version=version,
            actor=actor,
            seen_at=now,
            expires_at=timestamp(datetime.fromisoformat(now) + timedelta(seconds=lease_s)),
            acknowledged=_acknowledged(seen, version, now),
        )
        late = seen is not None and _older(version, seen.version, ids)
        if late or desk.ledger.leases.put(seen, made):
            kept = seen if seen and late else made
            names = ("secret", "consumer", "instance", "version", "expires_at")
            return {name: str(getattr(kept, name)) for name in names}
    raise Unavailable("lease_taken", "other messages of this instance are faster", "send it again")


def clients(policy: Policy) -> tuple[Consumer, ...]:
    """The consumers that a retirement waits for; none where the policy waits for nobody."""
    return tuple(one for one in policy.consumers if one.kind == CLIENT) if policy.acknowledge_s > 0 else ()


def _consumer(policy: Policy, name: str, actor: str) -> Consumer:
    found = next((one for one in policy.consumers if one.name == name and one.kind == CLIENT), None)
    if found is None:
        raise Refused(
            "unknown_consumer",
            f"the policy of {policy.name} names no such consumer of the kind `{CLIENT}`",
            "use the name that the policy has",
        )
    if not _is(actor, str(found.role)):
        raise Denied(
            "not_this_consumer",
            f"the role that asks is not the one whose acknowledgements count for {name}",
            f"acknowledge with the role that the policy of {policy.name} names",
        )
    return found


def _is(actor: str, role: str) -> bool:
    """Whether the caller is the role: by account and name, or by name alone where the policy has no more."""
    asked = _role(actor)
    if asked is None or not role:
        return False
    return asked == _role(role) if role.startswith("arn:") else asked[1] == role


def _role(arn: str) -> tuple[str, str] | None:
    found = _ROLE.fullmatch(arn)
    if found is None:
        return None
    of_role, of_session, name = found.groups()
    return of_role or of_session, name


def _unknown(secret: str) -> str:
    raise Refused(
        "unknown_version",
        f"this is neither the current version of {secret} nor the one before it",
        "read the current version, and acknowledge that",
    )


def _older(version: str, kept: str, ids: Ids) -> bool:
    return version != kept and kept == ids.current


def _acknowledged(seen: Lease | None, version: str, now: str) -> dict[str, str]:
    before = seen.acknowledged if seen else {}
    # one that it comes back to, as after a rollback, is acknowledged anew
    first = before[version] if seen and seen.version == version and version in before else now
    kept = sorted({**before, version: first}.items(), key=lambda item: item[1])[-_VERSIONS_KEPT:]
    return dict(kept)


def _secret(name: str) -> str:
    if not _SECRET.fullmatch(name):
        raise Refused("unknown_secret", "no policy has a name of this form", "use the name that the policy has")
    return name


def _instance(name: str) -> str:
    if not _INSTANCE.fullmatch(name):
        raise Refused(
            "bad_instance",
            "an instance is named by up to 128 letters, digits and . _ : @ / -",
            "the client library's own names are",
        )
    return name


def _lease_s(seconds: int) -> int:
    if not MIN_LEASE_S <= seconds <= MAX_LEASE_S:
        raise Refused(
            "bad_lease", f"a lease lasts from {MIN_LEASE_S} to {MAX_LEASE_S} seconds", "renew it before it runs out"
        )
    return seconds
