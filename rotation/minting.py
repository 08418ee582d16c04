"""What issuers do besides `CredentialIssuer`, where their capabilities say so: mint at the target, tell the last use.

Beside the contract, so that a type without these flags has nothing to do with it. The same failure contract: only
`rotation.errors` classes are raised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from rotation.contract import Minted
from rotation.value import SecretValue


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What a run wrote down before it let the target make a credential; by it what it made is told from what it met.

    held: what `TargetMinter.held` answered. since, until: between which moments (ISO 8601) the run was at work on it.
    """

    held: Mapping[str, str]
    since: str
    until: str


class TargetMinter(Protocol):
    """What an issuer with `mints_at_target` does besides, in the place of `mint`.

    An answer that is lost leaves a credential at the target whose value nobody has. A run makes at most one such at a
    time, and removes it before it makes another: `make` and `unmake` find it by the run's `Attempt`.
    """

    def held(self, current: SecretValue | None, retired: SecretValue | None, *, settled: bool) -> Mapping[str, str]:
        """Look before the intent is written: what the target has, without values. `retired` will make room.

        Refused `slot_taken` where nothing can be made without removing what Keyturn does not know; not yet, where
        the target may not be `settled` and still show what was removed a moment ago.
        """
        ...

    def make(self, attempt: Attempt) -> Minted:
        """Remove what was lost and what is retired, then let the target make one: a single try, not idempotent.

        Refused `slot_taken`; Unavailable where the target did not answer or shows what is removed already.
        """
        ...

    def unmake(self, attempt: Attempt) -> int:
        """Undo `make` where its value was lost; returns how many were removed. Never what anybody has used."""
        ...

    def public(self, value: SecretValue) -> Mapping[str, str]:
        """`Minted.public` of a value that was found again."""
        ...


@dataclass(frozen=True, kw_only=True)
class LastUse:
    """When a credential was used last (ISO 8601, "" if never or unknown); within `grace_s` seconds it is in use."""

    at: str
    grace_s: int


class UseWitness(Protocol):
    """What an issuer with `tells_last_use` does besides."""

    def last_use(self, value: SecretValue) -> LastUse:
        """Ask the target, as authority. Showing the credential to the target is a use as well."""
        ...
