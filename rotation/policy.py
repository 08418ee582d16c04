"""Rotation policies: frozen values that a security engineer reviews, and the document the catalogue keeps of them.

A policy names facts of the stack (`Fact("postgresHost")`) instead of addresses, so that one policy serves every
stack; `Policy.resolve` puts them in. No SDK and no pulumi here; the rules that it is held to are in
`policy_rules`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
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
class Window:
    """Hours of a UTC day in which a rotation that is due may start.

    opens: the hour, 0 to 23. hours: how long, never past midnight. days: `MON` to `SUN`, every day when empty.
    """

    opens: int
    hours: int
    days: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Freeze:
    """Days, both included, on which nothing starts: `2026-12-20` for one year, `12-20` for every year."""

    first: str
    last: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A person agrees before anything is minted; whoever asked for the run cannot.

    approvers: names of the IAM roles that may. expires_s: seconds after which the run fails unanswered.
    """

    approvers: tuple[str, ...]
    expires_s: int


@dataclass(frozen=True, kw_only=True)
class Consumer:
    """Who reads the credential, and how it learns of a new version.

    kind: `client` (the library: told by event, acknowledges), `poll` (looks again within lead_s), `ci` (a job keeps the
    old value for at most lead_s). lead_s is a floor of the overlap. role: the IAM role whose acknowledgements count.
    """

    name: str
    kind: str
    lead_s: int
    role: str | Fact = ""


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """A rule of the lint that this policy may break up to a date (`2026-12-31`); who answers for it, and why."""

    rule: str
    why: str
    owner: str
    expires: str


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How one credential is rotated.

    name: what people call it, `group/name`. store: `aws`, `vault` or `gcp`; path: as that store writes it.
    credential: kind of the issuer. cadence: `rate(30 days)` or `cron(...)` as AWS writes it.
    warm_up_s: seconds between a passed test and promotion. overlap_s: seconds both credentials stay valid after it.
    window, freezes: when a due rotation may start. approval: who agrees first. consumers: who reads it.
    invalidate: where a new version is announced (`redis`, `sqs`, `rq`). acknowledge_s: how long the end of the overlap
    waits for consumers' acknowledgements before it escalates; 0 when nobody acknowledges. group: of its members one at
    a time rotates. parent: rotates first when both are due. on_outside_change: `alarm`, or `adopt` what somebody else
    made current. triggers: events that start an emergency run (`leak`, `human-read`, `offboarding`).
    scheduler: `keyturn`, or `native` where AWS's own schedule rotates it. waivers: rules it may break, until when.
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
    readers: tuple[str | Fact, ...] = ()
    window: Window | None = None
    freezes: tuple[Freeze, ...] = ()
    approval: Approval | None = None
    consumers: tuple[Consumer, ...] = ()
    invalidate: tuple[str, ...] = ()
    acknowledge_s: int = 0
    group: str = ""
    parent: str = ""
    on_outside_change: str = "alarm"
    triggers: tuple[str, ...] = ()
    scheduler: str = "keyturn"
    waivers: tuple[Waiver, ...] = ()

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
        """The same policy with every `Fact` replaced; Refused `unknown_fact` names all that are missing."""
        missing = self.facts_asked() - facts.keys()
        if missing:
            raise self._unknown(sorted(missing))

        def put_in(value: str | Fact) -> str:
            return value if isinstance(value, str) else facts[value.name]

        target = replace(self.target, facts={k: put_in(v) for k, v in self.target.facts.items()})
        readers = tuple(put_in(r) for r in self.readers)
        consumers = tuple(replace(c, role=put_in(c.role)) for c in self.consumers)
        return replace(self, path=put_in(self.path), target=target, readers=readers, consumers=consumers)

    def facts_asked(self) -> set[str]:
        """The names of the facts that stand in it."""
        places = (self.path, *self.target.facts.values(), *self.readers, *(one.role for one in self.consumers))
        return {value.name for value in places if isinstance(value, Fact)}

    def _unknown(self, missing: Sequence[str]) -> Refused:
        named = f"the fact `{missing[0]}`" if len(missing) == 1 else f"the facts {', '.join(f'`{n}`' for n in missing)}"
        keys = ", ".join(f"`keyturn:{name}`" for name in missing)
        return Refused(
            "unknown_fact",
            f"policy {self.name} asks for {named}, which the stack does not have",
            f"add {keys} to the stack's configuration",
        )

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


# What a document keeps as objects and lists, by field.
_PARTS: dict[str, Callable[[Any], Any]] = {
    "target": lambda found: Target(**found),
    "window": lambda found: Window(**{**found, "days": tuple(found["days"])}),
    "approval": lambda found: Approval(**{**found, "approvers": tuple(found["approvers"])}),
    "freezes": lambda found: tuple(Freeze(**item) for item in found),
    "consumers": lambda found: tuple(Consumer(**item) for item in found),
    "waivers": lambda found: tuple(Waiver(**item) for item in found),
    "readers": tuple,
    "invalidate": tuple,
    "triggers": tuple,
}


def _part(name: str, value: Any) -> Any:
    return _PARTS[name](value) if name in _PARTS and value is not None else value


def from_document(text: str) -> Policy:
    """Read a catalogue document; Refused `bad_policy_document` names what is wrong, without a value."""
    try:
        loaded: dict[str, Any] = json.loads(text)
        if loaded.pop("format") != DOCUMENT_FORMAT:
            raise ValueError("format")
        return Policy(**{name: _part(name, value) for name, value in loaded.items()})
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise Refused(
            "bad_policy_document",
            f"the catalogue's policy cannot be read ({type(exc).__name__})",
            "apply the stack again with the same version of the program as the functions",
        ) from exc
