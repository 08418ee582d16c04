"""The two keys that a user of IAM may have: which there are, who made which, and room for one more.

A key is taken for one that this run made and lost only if it was not there before, was made while the run was at work,
and was never used: its secret never left the function. Whoever makes keys of the same user by hand is told to stop
(`slot_taken`), never robbed of one. IAM lists with a delay; what it lists too late, its limit of two refuses, and the
run waits. Not here: what a key is worth (`aws_iam_access_key`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rotation.calls import Caller, Kind
from rotation.errors import Conflict, KeyturnError, NotFound, Refused, Unavailable
from rotation.issuers.aws_iam_access_key_client import Clients
from rotation.minting import Attempt

# Access keys of one user (IAM's quotas; not adjustable).
MOST_KEYS = 2
ACTIVE, INACTIVE = "Active", "Inactive"
# What an attempt remembers: the keys there were, and which of them is current, which retired.
BEFORE, CURRENT, RETIRED = "before", "current", "retired"


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key as IAM lists it; `made` to the second."""

    id: str
    active: bool
    made: datetime


class Slots:
    """The keys of one user."""

    def __init__(self, user: str, caller: Caller, clients: Clients) -> None:
        self._user, self._clients = user, clients
        self._caller = caller

    def listed(self) -> list[Key]:
        """ListAccessKeys, one page: a user has two."""
        answer = self._ask("list_access_keys")
        return [
            Key(id=one["AccessKeyId"], active=one["Status"] == ACTIVE, made=one["CreateDate"].astimezone(UTC))
            for one in answer["AccessKeyMetadata"]
        ]

    def held(self, current: str, retired: str, *, settled: bool) -> Mapping[str, str]:
        """For the intent: the keys there are, and the one that is retired. Refused `slot_taken` where both are kept."""
        keys = self.listed()
        kept = [key for key in keys if key.id != retired or key.active]
        if settled and len(kept) >= MOST_KEYS:
            raise self._taken(kept, current)
        return {BEFORE: " ".join(sorted(key.id for key in keys)), CURRENT: current, RETIRED: retired}

    def make_room(self, attempt: Attempt) -> None:
        """Delete what an earlier attempt lost, and the retired key if it is inactive."""
        keys = self.listed()
        for key in keys:
            if key.id == attempt.held.get(RETIRED) and not key.active:
                self.delete(key.id)
        self._delete_lost(keys, attempt)

    def delete_lost(self, attempt: Attempt) -> int:
        """Delete what this run made and nobody has; how many there were."""
        return self._delete_lost(self.listed(), attempt)

    def _delete_lost(self, keys: Collection[Key], attempt: Attempt) -> int:
        lost = [key.id for key in keys if _is_of(key, attempt) and not self._used(key.id)]
        for key_id in lost:
            self.delete(key_id)
        return len(lost)

    def create(self, attempt: Attempt) -> tuple[str, str]:
        """CreateAccessKey, once: id and secret. Refused `slot_taken`, Unavailable `keys_settling` at the limit."""
        try:
            made = self._ask("create_access_key", idempotent=False)["AccessKey"]
        except Conflict as exc:
            raise self._at_the_limit(attempt) from exc
        return made["AccessKeyId"], made["SecretAccessKey"]

    def set(self, key_id: str, *, active: bool) -> None:
        """UpdateAccessKey. NotFound `key_gone`."""
        self._ask("update_access_key", AccessKeyId=key_id, Status=ACTIVE if active else INACTIVE)

    def delete(self, key_id: str) -> None:
        """DeleteAccessKey; gone already is success."""
        try:
            self._ask("delete_access_key", AccessKeyId=key_id)
        except NotFound:
            return

    def last_use(self, key_id: str) -> str:
        """ISO 8601, "" for a key that was never used or is gone. IAM notices a use after minutes.

        Two calls: of a key that is gone, GetAccessKeyLastUsed says that the asker has no right.
        """
        return self._used(key_id) if key_id in [key.id for key in self.listed()] else ""

    def _used(self, key_id: str) -> str:
        answer = self._call("get_access_key_last_used", {"AccessKeyId": key_id})
        used = answer.get("AccessKeyLastUsed", {}).get("LastUsedDate")
        return used.astimezone(UTC).isoformat() if used else ""

    def _at_the_limit(self, attempt: Attempt) -> KeyturnError:
        """Somebody else's key, or one that is deleted already, or one that was lost and is not listed yet."""
        current, retired = attempt.held.get(CURRENT, ""), attempt.held.get(RETIRED, "")
        kept = [key for key in self.listed() if key.id != current and (key.id != retired or key.active)]
        strange = [key for key in kept if not _is_of(key, attempt) or self._used(key.id)]
        if strange:
            return self._taken(strange, current)
        return Unavailable(
            "keys_settling", f"IAM does not list yet which keys {self._user} has", "wait; the state machine retries"
        )

    def _taken(self, keys: Collection[Key], current: str) -> Refused:
        others = ", ".join(key.id for key in keys if key.id != current)
        return Refused(
            "slot_taken",
            f"the user {self._user} may have {MOST_KEYS} keys, and Keyturn knows nothing of {others}",
            "find out who uses it (`aws iam get-access-key-last-used`), delete it, and rotate again",
        )

    def _ask(self, verb: str, *, idempotent: bool = True, **asked: str) -> Any:
        return self._call(verb, {"UserName": self._user, **asked}, idempotent=idempotent)

    def _call(self, verb: str, asked: Mapping[str, str], *, idempotent: bool = True) -> Any:
        return self._caller.call(
            Kind.AUTHORITY,
            lambda: getattr(self._clients.iam(), verb)(**asked),
            idempotent=idempotent,
        )


def _is_of(key: Key, attempt: Attempt) -> bool:
    """Whether the run made it, as far as the list tells."""
    if key.id in (attempt.held.get(CURRENT), *attempt.held.get(BEFORE, "").split()):
        return False
    # IAM cuts its times down to the second
    since = datetime.fromisoformat(attempt.since).replace(microsecond=0)
    return since <= key.made <= datetime.fromisoformat(attempt.until)
