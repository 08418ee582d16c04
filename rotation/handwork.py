"""What a person does by hand because no program may: which credentials are so, and what the store shows of the outcome.

Names and times of versions only: no value is read to find out what was done. Imported by control, which has no
credential type at hand, as well as by the stores' functions. Not here: the type itself (`issuers.reminder`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypedDict

from rotation.contract import SecretRef

# The credential type of such policies.
REMINDER = "reminder"
# The phase by which control asks a store's function for the versions.
VERSIONS = "versions"
# Facts of the target: where the person changes it, and how many days they have.
CONSOLE, DUE_DAYS = "console", "due_days"
# The machine waits for a quarter of a year at most (`definition`); who needs longer is not reminded but ignored.
MOST_DAYS = 60


class Made(TypedDict):
    """One version: its id, when it was made (ISO 8601 in UTC), and whether readers get it."""

    id: str
    made_at: str
    current: bool


class Versions(TypedDict):
    """What the store has of a secret."""

    versions: list[Made]


class VersionTeller(Protocol):
    """A store that tells of its versions without their values; the type ships with no other store."""

    def versions(self, ref: SecretRef) -> list[Made]:
        """Every version that the store still has. Reads only, never a value. NotFound without the secret's shell."""
        ...


def by_hand(credential: str) -> bool:
    """Whether a person makes the new version of this credential type, and a run only waits for it."""
    return credential == REMINDER


def due_days(facts: Mapping[str, str]) -> int:
    """Days that a person has; 0 where they are no number that may be, which `policy_rules` refuses."""
    text = facts.get(DUE_DAYS, "")
    days = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_DAYS)) else 0
    return days if days <= MOST_DAYS else 0


def current_of(versions: list[Made]) -> str:
    """The id of what readers get; "" for nothing."""
    return next((one["id"] for one in versions if one["current"]), "")
