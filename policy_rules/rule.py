"""What a rule is, what it compares policies with, and what it says of an offence.

Abilities and circumstances are arguments, so that no rule needs an SDK, a file or a clock. Not here: the rules.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rotation.contract import IssuerCapabilities, SecretRef, StoreCapabilities
from rotation.policy import Policy

# Seconds, name, and from how many on it is used: reviewers speak of 24 h, and of 30 d.
_UNITS = ((86_400, "d", 2), (3_600, "h", 1), (60, "min", 1))


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One offence: which rule, policy and field, what is wrong, what to do, and the file where it is to be done."""

    rule: str
    policy: str
    field: str
    problem: str
    remedy: str
    file: str

    def __str__(self) -> str:
        # what concerns no policy alone has none
        where = f"policy {self.policy}, {self.field}: " if self.policy else ""
        return f"{self.file}: {where}{self.problem}: {self.remedy} [{self.rule}]"


@dataclass(frozen=True, kw_only=True)
class Abilities:
    """What policies are compared with.

    stores and issuers: flags by name. served: the credential types whose issuer ships in a store's function.
    runbooks: paths of the runbooks that exist, as policies write them.
    """

    stores: Mapping[str, StoreCapabilities]
    issuers: Mapping[str, IssuerCapabilities]
    served: Mapping[str, Collection[str]]
    runbooks: Collection[str]


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """Facts of one stack, and the day for which is judged: it comes from the caller, since a program has no clock.

    alias_lag_s: how long readers of a lagging pointer may see the old version. client_poll_s: how often the client
    library looks by itself, when no event reaches it.
    """

    today: date
    alias_lag_s: int
    client_poll_s: int


class Company:
    """All policies of a stack, looked up by what two of them could share: one pass, however many they are."""

    def __init__(self, policies: Sequence[Policy], mistyped: Sequence[Policy] = ()) -> None:
        # those that no rule can read: their names are known to their children
        self.unread = {str(policy.name) for policy in mistyped}
        self.files = Counter(file_of(policy.name) for policy in policies)
        self.by_name = {policy.name: policy for policy in policies}
        self.names = Counter(policy.name for policy in policies)
        self.groups = Counter(policy.group for policy in policies)
        self.places: dict[SecretRef, list[str]] = {}
        for policy in policies:
            self.places.setdefault(policy.ref, []).append(policy.name)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One policy, resolved, among all of its stack."""

    policy: Policy
    company: Company
    abilities: Abilities
    circumstances: Circumstances

    @property
    def store(self) -> StoreCapabilities | None:
        """What the policy's store can do; None when it is unknown, which is an offence of its own."""
        return self.abilities.stores.get(self.policy.store)

    @property
    def issuer(self) -> IssuerCapabilities | None:
        """What the policy's credential type can do; None when it is unknown."""
        return self.abilities.issuers.get(self.policy.credential)


# Field, what is wrong, remedy.
Offence = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule under its stable name. `says`: what must hold, for people. `waivable`: whether it is a judgement.

    What cannot work, or cannot be read, is no judgement: such a rule cannot be waived.
    """

    name: str
    says: str
    find: Callable[[Case], Iterator[Offence]]
    waivable: bool = False


def file_of(name: str) -> str:
    """The file of the policy called `name`: `policies/payments_postgres.py` for `payments/postgres`."""
    return f"policies/{re.sub(r'[^A-Za-z0-9]+', '_', name).strip('_')}.py"


def length(seconds: int) -> str:
    """A length of time in the largest unit that leaves no rest: `30 d`, `24 h`, `90 s`."""
    for unit, name, least in _UNITS:
        if seconds and not seconds % unit and seconds // unit >= least:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"
