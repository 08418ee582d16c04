"""What happened to a secret outside Keyturn, in one form whoever said so, and who Keyturn itself is.

An incident names places, people and references, never a value: what it keeps of an event is short, of few characters,
and redacted by shape, because it ends up in the reason of a run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from rotation.contract import SecretRef

# What a policy writes of a place, where the stack puts something before it: Google's project.
_WRITTEN: Mapping[str, re.Pattern[str]] = {"gcp": re.compile(r"projects/[^/]+/secrets/([^/]+)")}


class Kind(StrEnum):
    """The first three are words of a policy's `triggers`; the last is what `on_outside_change` is about."""

    LEAK = "leak"
    HUMAN_READ = "human-read"
    OFFBOARDING = "offboarding"
    OUTSIDE_CHANGE = "outside-change"


@dataclass(frozen=True, kw_only=True)
class Ours:
    """Keyturn itself. `account`: the stack's. `functions`: names of the functions, which their roles have too."""

    account: str
    functions: frozenset[str]

    def owns(self, principal: str) -> bool:
        """Whether one of our functions is behind a principal, as AWS or as Vault names it."""
        roles = {f"arn:aws:iam::{self.account}:role/{name}" for name in self.functions}
        # the display name that Vault gives to a login by JWT: mount, then subject
        return principal in roles | {f"jwt-{name}" for name in self.functions}


@dataclass(frozen=True, kw_only=True)
class Incident:
    """One incident.

    id: of the event where it arose, the same for every repeat. at: when, as the ledger writes times. secrets: names of
    policies; places: where a store keeps it, several where the event may mean one of them; neither: every policy with
    the trigger. actor: who did it, for people; principal: the same as a policy declares readers. reference: where to
    read more. version: the store's id of what was made current. harmless: slug of why it calls for nothing, or "".
    """

    id: str
    kind: Kind
    source: str
    at: str
    actor: str
    principal: str = ""
    reference: str = ""
    secrets: tuple[str, ...] = ()
    places: tuple[SecretRef, ...] = ()
    version: str = ""
    harmless: str = ""

    def is_at(self, ref: SecretRef) -> bool:
        """Whether one of its places is that of a secret: as the store names it, or as its policy writes it."""
        form = _WRITTEN.get(ref.store)
        found = form.fullmatch(ref.path) if form else None
        return not {ref, replace(ref, path=found[1] if found else ref.path)}.isdisjoint(self.places)

    @property
    def says(self) -> str:
        """The reason of a run: one line."""
        more = f", see {self.reference}" if self.reference else ""
        return f"{self.kind.value} by {self.actor} at {self.at} ({self.source} {self.id}{more})"
