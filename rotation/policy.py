"""Rotation policies: frozen values that a security engineer reviews, and the document the catalogue keeps of them.

A policy names facts of the stack (`Fact("postgresHost")`) instead of addresses, so that one policy serves every
stack; `Policy.resolve` puts them in. No SDK and no pulumi here; checks against abilities are in `policy_checks`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from rotation.contract import SecretRef
from rotation.errors import Refused

# Bumped when a document written by an older program can no longer be read.
DOCUMENT_FORMAT = 1


@dataclass(frozen=True)
class Fact:
    """The name of a stack's fact (`keyturn:<name>` of its configuration) that stands where the policy says `Fact`."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Target:
    """The system that accepts the credential.

    `facts`: addresses and names the issuer needs, none of them secret. `authority`: where, in the same store, the
    credential lies that Keyturn itself needs there.
    """

    facts: Mapping[str, str | Fact]
    authority: str


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How one credential is rotated.

    name: what people call it, `group/name`. store: `aws`, `vault` or `gcp`; path: as that store writes it.
    credential: kind of the issuer. cadence: `rate(30 days)` or `cron(...)` as AWS writes it.
    warm_up_s: seconds between a passed test and promotion. overlap_s: seconds both credentials stay valid after it.
    """

    name: str
    store: str
    path: str | Fact
    credential: str
    target: Target
    cadence: str
    warm_up_s: int
    overlap_s: int
    owner: str
    runbook: str
    readers: tuple[str | Fact, ...] = field(default=())

    @property
    def ref(self) -> SecretRef:
        """Where the secret lives; the policy must be resolved."""
        return SecretRef(store=self.store, path=_text(self.path))

    @property
    def authority_ref(self) -> SecretRef:
        """Where the authority's credential lives."""
        return SecretRef(store=self.store, path=self.target.authority)

    @property
    def target_facts(self) -> dict[str, str]:
        """The target's facts as text; the policy must be resolved."""
        return {name: _text(value) for name, value in self.target.facts.items()}

    def resolve(self, facts: Mapping[str, str]) -> Policy:
        """The same policy with every `Fact` replaced; Refused `unknown_fact` names the first one missing."""

        def put_in(value: str | Fact) -> str:
            if isinstance(value, str):
                return value
            if value.name not in facts:
                raise Refused(
                    "unknown_fact",
                    f"policy {self.name} asks for the fact `{value.name}`, which the stack does not have",
                    f"add `keyturn:{value.name}` to the stack's configuration",
                )
            return facts[value.name]

        target = replace(self.target, facts={k: put_in(v) for k, v in self.target.facts.items()})
        readers = tuple(put_in(r) for r in self.readers)
        return replace(self, path=put_in(self.path), target=target, readers=readers)

    def document(self) -> str:
        """Canonical JSON for the catalogue: sorted keys, no spaces, readable by `from_document`."""
        return json.dumps({"format": DOCUMENT_FORMAT, **asdict(self)}, sort_keys=True, separators=(",", ":"))

    def digest(self) -> str:
        """SHA-256 of the document in hex: what a run records as the policy it followed."""
        return hashlib.sha256(self.document().encode()).hexdigest()


def _text(value: str | Fact) -> str:
    if isinstance(value, Fact):
        raise Refused("unresolved_fact", f"the fact `{value.name}` was not resolved", "call Policy.resolve first")
    return value


def from_document(text: str) -> Policy:
    """Read a catalogue document; Refused `bad_policy_document` names what is wrong, without a value."""
    try:
        loaded: dict[str, Any] = json.loads(text)
        if loaded.pop("format") != DOCUMENT_FORMAT:
            raise ValueError("format")
        target = Target(**loaded.pop("target"))
        readers = tuple(loaded.pop("readers"))
        return Policy(target=target, readers=readers, **loaded)
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise Refused(
            "bad_policy_document",
            f"the catalogue's policy cannot be read ({type(exc).__name__})",
            "apply the stack again with the same version of the program as the functions",
        ) from exc
