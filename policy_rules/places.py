"""Rules about what a policy names: itself, its store, the secret's place, the credential type, owner and runbook."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy_rules.place_forms import PLACES
from policy_rules.rule import Case, Offence, Rule, file_of

# The name is part of an object's key, of a partition's key and of file names.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(/[A-Za-z0-9][A-Za-z0-9_-]*)*")


def _name(case: Case) -> Iterator[Offence]:
    if not _NAME.fullmatch(case.policy.name):
        yield "name", "is not group/name", "use letters, digits, hyphens and underscores between slashes"


def _name_once(case: Case) -> Iterator[Offence]:
    if case.company.names[case.policy.name] > 1:
        yield "name", f"two policies are called {case.policy.name}", "names are unique"


def _file_once(case: Case) -> Iterator[Offence]:
    file = file_of(case.policy.name)
    if case.company.files[file] > case.company.names[case.policy.name]:
        yield "name", f"another policy belongs to {file} too", "choose names that differ by more than their signs"


def _owner(case: Case) -> Iterator[Offence]:
    if not case.policy.owner.strip():
        yield "owner", "is blank", "name the team that answers for the credential"


def _runbook(case: Case) -> Iterator[Offence]:
    runbook = case.policy.runbook
    if not runbook.strip():
        yield "runbook", "is blank", "name a file in docs/runbooks/: an alarm links it"
    elif runbook not in case.abilities.runbooks:
        yield "runbook", f"{runbook} does not exist", "write it, or name one that exists"


def _store(case: Case) -> Iterator[Offence]:
    if case.store is None:
        known = ", ".join(sorted(case.abilities.stores))
        yield "store", f"names the store {case.policy.store}", f"it has to be one of {known}"


def _place(case: Case) -> Iterator[Offence]:
    policy, form = case.policy, PLACES.get(case.policy.store)
    if case.store is None or form is None:
        return
    places = [("path", policy.ref.path)]
    if policy.target.authority or _needs_authority(case):
        places.append(("target.authority", policy.authority_ref.path))
    for field, path in places:
        flaw = form(path)
        if flaw:
            yield field, f"{path!r} {flaw[0]}", flaw[1]


def _needs_authority(case: Case) -> bool:
    """Not where nothing is changed at a target, or Keyturn's own function may change it."""
    return case.issuer is None or (case.issuer.has_target and not case.issuer.own_identity)


def _place_once(case: Case) -> Iterator[Offence]:
    policy = case.policy
    owners = case.company.places[policy.ref]
    if len(owners) > 1:
        named = " and ".join(sorted(owners))
        yield "path", f"two policies rotate {policy.ref.path} in {policy.store}: {named}", "a secret has one policy"


def _authority(case: Case) -> Iterator[Offence]:
    if case.policy.authority_ref == case.policy.ref:
        # whoever may log in with it could not change it, and a rotation would replace the authority by its subject
        yield "target.authority", "is the secret itself", "name the credential that may change this one at its target"


def _credential(case: Case) -> Iterator[Offence]:
    policy, abilities = case.policy, case.abilities
    if case.issuer is None:
        known = ", ".join(sorted(abilities.issuers))
        yield "credential", f"no issuer makes credentials of the kind {policy.credential}", f"choose one of {known}"
    elif case.store and policy.credential not in abilities.served.get(policy.store, ()):
        yield (
            "credential",
            f"the function of {policy.store} does not ship the issuer of {policy.credential}",
            "choose a kind that it ships, or add the issuer to its row in artefacts/table.py",
        )


RULES = (
    Rule(name="name-form", says="the name is `group/name`: letters, digits, hyphens, underscores", find=_name),
    Rule(name="name-twice", says="no two policies have the same name", find=_name_once),
    Rule(name="file-twice", says="each policy has a file of its own", find=_file_once),
    Rule(name="owner-missing", says="a team answers for the credential", find=_owner),
    Rule(name="runbook-missing", says="the runbook that an alarm links exists", find=_runbook, waivable=True),
    Rule(name="store-unknown", says="the store is one that has an adapter", find=_store),
    Rule(name="place-form", says="path and authority are written as the store writes them", find=_place),
    Rule(name="place-twice", says="no two policies rotate the same secret", find=_place_once),
    Rule(name="authority-is-secret", says="the authority is another secret than the one it changes", find=_authority),
    Rule(
        name="credential-unknown",
        says="the credential type exists, and ships in the function of the store",
        find=_credential,
    ),
)
