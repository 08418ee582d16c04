"""The stack's policies: facts put in, caps applied, everything checked before the first resource is declared.

All problems are collected into one error. Not here: what a store or a credential type can do, which
`rotation.policy_checks` compares.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from infra.config import Settings
from infra.documents import INLINE_POLICY_LIMIT, document
from infra.grants import grants, stand_ins
from infra.names import FUNCTIONS, STORES, Names
from rotation.errors import KeyturnError, Refused
from rotation.policy import Policy


def resolved(policies: Sequence[Policy], settings: Settings) -> tuple[Policy, ...]:
    """Every policy as this stack runs it; Refused `bad_policies` names all that is wrong."""
    problems = [] if policies else ["policies.ALL is empty: a stack without a policy rotates nothing"]
    ready = []
    for policy in policies:
        try:
            ready.append(_for_stack(policy.resolve(settings.facts), settings))
        except KeyturnError as exc:
            problems.append(f"{exc.message}: {exc.remedy}")
    problems += _clashes(ready)
    # a role is measured only when its policies make sense
    problems += [] if problems else _too_large(ready, settings)
    if problems:
        raise Refused("bad_policies", "\n  ".join(["policies are wrong:", *problems]), "correct policies/ and repeat")
    return tuple(ready)


def _for_stack(policy: Policy, settings: Settings) -> Policy:
    capped = replace(
        policy,
        overlap_s=_cap(policy.overlap_s, settings.overlap_cap_s),
        warm_up_s=_cap(policy.warm_up_s, settings.warm_up_cap_s),
        # an empty fact is no reader
        readers=tuple(reader for reader in policy.readers if reader),
    )
    if policy.store != "gcp":
        return capped
    # policies name Google secrets without the project, which is a fact of the stack
    prefix = f"projects/{settings.google_project}/secrets/"
    target = replace(policy.target, authority=prefix + policy.target.authority)
    return replace(capped, path=prefix + policy.ref.path, target=target)


def _cap(seconds: int, cap: int) -> int:
    return min(seconds, cap) if cap else seconds


def _clashes(policies: Sequence[Policy]) -> list[str]:
    names = Counter(policy.name for policy in policies)
    places = Counter(policy.ref for policy in policies)
    problems = [f"two policies are called {name}: names are unique" for name, count in names.items() if count > 1]
    problems += [
        f"two policies rotate {place.path} in {place.store}: a secret has one policy"
        for place, count in places.items()
        if count > 1
    ]
    problems += [
        f"policy {policy.name} names the store {policy.store}: it has to be one of {', '.join(STORES)}"
        for policy in policies
        if policy.store not in STORES
    ]
    return problems


def _too_large(policies: Sequence[Policy], settings: Settings) -> list[str]:
    names = Names(settings)
    arns = stand_ins(names, policies)
    sizes = {kind: len(json.dumps(document(grants(kind, names, policies, arns)), separators=(",", ":"))) for kind in FUNCTIONS}
    return [
        f"the role of {names.of(kind)} would hold {size} characters, IAM allows {INLINE_POLICY_LIMIT}: split the policies"
        for kind, size in sizes.items()
        if size > INLINE_POLICY_LIMIT
    ]
