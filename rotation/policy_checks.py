"""Compares what policies wish with what stores and credential types can do, and collects everything that does not fit.

Pure functions over resolved policies; abilities are arguments (`rotation.capabilities` collects them), so no SDK, no
file and no clock is needed. Each rule looks at one policy, or at all, and yields problems; nothing stops at the first.
Not here: facts of a stack (`Policy.resolve`), and what a target's facts may be (the issuer says so itself).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rotation.cadence import DAY_S, shortest_pause_s
from rotation.contract import IssuerCapabilities, StoreCapabilities
from rotation.policy import Policy
from rotation.policy_places import PLACES

# A candidate that waits longer than a day before promotion is a forgotten one.
LONGEST_WARM_UP_S = DAY_S
# The name is part of an object's key, of a partition's key and of file names.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(/[A-Za-z0-9][A-Za-z0-9_-]*)*")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One offence: which policy and field, what is wrong, what to do, and the file where it is to be done."""

    policy: str
    field: str
    problem: str
    remedy: str
    file: str

    def __str__(self) -> str:
        return f"{self.file}: policy {self.policy}, {self.field}: {self.problem}: {self.remedy}"


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


# Field, what is wrong, remedy.
Offence = tuple[str, str, str]


def check_policies(policies: Sequence[Policy], abilities: Abilities) -> list[Problem]:
    """Every problem of every policy, in the order of the policies; empty when all fit. Policies must be resolved."""
    problems = [
        Problem(policy=policy.name, field=field, problem=problem, remedy=remedy, file=file_of(policy.name))
        for policy in policies
        for rule in (_who, _store, _places, _credential, _cadence, _overlap, _warm_up)
        for field, problem, remedy in rule(policy, abilities)
    ]
    return problems + list(_twice(policies))


def file_of(name: str) -> str:
    """The file of the policy called `name`: `policies/payments_postgres.py` for `payments/postgres`."""
    return f"policies/{re.sub(r'[^A-Za-z0-9]+', '_', name).strip('_')}.py"


def _who(policy: Policy, abilities: Abilities) -> Iterator[Offence]:
    if not _NAME.fullmatch(policy.name):
        yield "name", "is not group/name", "use letters, digits, hyphens and underscores between slashes"
    if not policy.owner.strip():
        yield "owner", "is blank", "name the team that answers for the credential"
    if not policy.runbook.strip():
        yield "runbook", "is blank", "name a file in docs/runbooks/: an alarm links it"
    elif policy.runbook not in abilities.runbooks:
        yield "runbook", f"{policy.runbook} does not exist", "write it, or name one that exists"


def _store(policy: Policy, abilities: Abilities) -> Iterator[Offence]:
    if policy.store not in abilities.stores:
        known = ", ".join(sorted(abilities.stores))
        yield "store", f"names the store {policy.store}", f"it has to be one of {known}"


def _places(policy: Policy, abilities: Abilities) -> Iterator[Offence]:
    if policy.store not in abilities.stores:
        return
    for field, ref in (("path", policy.ref), ("target.authority", policy.authority_ref)):
        flaw = PLACES[policy.store](ref.path)
        if flaw:
            yield field, f"{ref.path!r} {flaw[0]}", flaw[1]
    if policy.authority_ref == policy.ref:
        # whoever may log in with it could not change it, and a rotation would replace the authority by its subject
        yield "target.authority", "is the secret itself", "name the credential that may change this one at its target"


def _credential(policy: Policy, abilities: Abilities) -> Iterator[Offence]:
    if policy.credential not in abilities.issuers:
        known = ", ".join(sorted(abilities.issuers))
        yield "credential", f"no issuer makes credentials of the kind {policy.credential}", f"choose one of {known}"
    elif policy.store in abilities.stores and policy.credential not in abilities.served.get(policy.store, ()):
        yield (
            "credential",
            f"the function of {policy.store} does not ship the issuer of {policy.credential}",
            "choose a kind that it ships, or add the issuer to its row in artefacts/table.py",
        )


def _cadence(policy: Policy, abilities: Abilities) -> Iterator[Offence]:
    del abilities
    try:
        shortest_pause_s(policy.cadence)
    except ValueError as exc:
        yield "cadence", f"{policy.cadence} {exc}", "write it as AWS Secrets Manager does, four hours or more apart"


def _overlap(policy: Policy, abilities: Abilities) -> Iterator[Offence]:
    issuer = abilities.issuers.get(policy.credential)
    if policy.overlap_s < 0:
        yield "overlap_s", "is negative", "give the seconds for which both credentials stay valid"
    elif issuer and policy.overlap_s > 0 and not issuer.overlaps:
        yield "overlap_s", f"{policy.credential} cannot keep two credentials valid at once", "set it to 0"
    elif issuer and policy.overlap_s == 0 and issuer.overlaps:
        # zero is what an emergency asks for at run time; as a habit it cuts off every reader that is not instant
        yield "overlap_s", "is 0, though the type can overlap", "give readers time to change over"
    elif issuer and issuer.overlaps and not _shorter_than_cadence(policy):
        # a run that comes due while an overlap is open is refused
        yield "overlap_s", "is not shorter than the cadence", "shorten the overlap, or rotate less often"


def _shorter_than_cadence(policy: Policy) -> bool:
    try:
        return policy.overlap_s + policy.warm_up_s < shortest_pause_s(policy.cadence)
    except ValueError:
        # the cadence is an offence of its own
        return True


def _warm_up(policy: Policy, abilities: Abilities) -> Iterator[Offence]:
    del abilities
    if policy.warm_up_s < 0:
        yield "warm_up_s", "is negative", "give the seconds between a passed test and promotion"
    elif policy.warm_up_s > LONGEST_WARM_UP_S:
        yield "warm_up_s", "is longer than a day", "shorten it: nobody uses the candidate meanwhile"


def _twice(policies: Sequence[Policy]) -> Iterator[Problem]:
    names = Counter(policy.name for policy in policies)
    for name in (name for name, count in names.items() if count > 1):
        problem = f"two policies are called {name}"
        yield Problem(policy=name, field="name", problem=problem, remedy="names are unique", file=file_of(name))
    places: dict[tuple[str, str], list[str]] = {}
    for policy in policies:
        places.setdefault((policy.store, policy.ref.path), []).append(policy.name)
    for (store, path), owners in places.items():
        if len(owners) > 1:
            yield Problem(
                policy=" and ".join(owners),
                field="path",
                problem=f"two policies rotate {path} in {store}",
                remedy="a secret has one policy",
                file=file_of(owners[0]),
            )
