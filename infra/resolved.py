"""The stack's policies: facts put in, caps applied, everything checked before the first resource is declared.

All problems are collected into one error. What a store or a credential type can do is compared by
`rotation.policy_checks`, on policies as they are written: a cap of one stack must not hide what another refuses.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from infra.abilities import abilities
from infra.config import Settings
from infra.documents import INLINE_POLICY_LIMIT, document
from infra.grants import grants, stand_ins
from infra.names import FUNCTIONS, Names
from rotation.errors import KeyturnError, Refused
from rotation.policy import Policy
from rotation.policy_checks import check_policies


def resolved(policies: Sequence[Policy], settings: Settings) -> tuple[Policy, ...]:
    """Every policy as this stack runs it; Refused `bad_policies` names all that is wrong."""
    problems = [] if policies else ["policies.ALL is empty: a stack without a policy rotates nothing"]
    ready = []
    for policy in policies:
        try:
            ready.append(_placed(policy.resolve(settings.facts), settings))
        except KeyturnError as exc:
            problems.append(f"{exc.message}: {exc.remedy}")
    problems += [str(problem) for problem in check_policies(ready, abilities())]
    ready = [_capped(policy, settings) for policy in ready]
    # a role is measured only when its policies make sense
    problems += [] if problems else _too_large(ready, settings)
    if problems:
        raise Refused("bad_policies", "\n  ".join(["policies are wrong:", *problems]), "correct policies/ and repeat")
    return tuple(ready)


def _placed(policy: Policy, settings: Settings) -> Policy:
    if policy.store != "gcp":
        return policy
    # policies name Google secrets without the project, which is a fact of the stack
    prefix = f"projects/{settings.google_project}/secrets/"
    target = replace(policy.target, authority=prefix + policy.target.authority)
    return replace(policy, path=prefix + policy.ref.path, target=target)


def _capped(policy: Policy, settings: Settings) -> Policy:
    return replace(
        policy,
        overlap_s=_cap(policy.overlap_s, settings.overlap_cap_s),
        warm_up_s=_cap(policy.warm_up_s, settings.warm_up_cap_s),
        # an empty fact is no reader
        readers=tuple(reader for reader in policy.readers if reader),
    )


def _cap(seconds: int, cap: int) -> int:
    return min(seconds, cap) if cap else seconds


def _too_large(policies: Sequence[Policy], settings: Settings) -> list[str]:
    names = Names(settings)
    arns = stand_ins(names, policies)
    sizes = {
        kind: len(json.dumps(document(grants(kind, names, policies, arns)), separators=(",", ":")))
        for kind in FUNCTIONS
    }
    return [
        f"the role of {names.of(kind)} would hold {size} characters, IAM allows {INLINE_POLICY_LIMIT}: split policies"
        for kind, size in sizes.items()
        if size > INLINE_POLICY_LIMIT
    ]
