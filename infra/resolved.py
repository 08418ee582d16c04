"""The stack's policies: facts put in, caps applied, everything checked before the first resource is declared.

All problems are collected into one error. What a store or a credential type can do is compared by `policy_rules`, on
policies as they are written: a cap of one stack must not hide what another refuses.
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
from policy_rules.check import check_policies, well_typed
from policy_rules.rule import Circumstances, Problem, file_of
from rotation.errors import KeyturnError, Refused
from rotation.policy import Policy

_FOLDER = "policies/"


def resolved(policies: Sequence[Policy], settings: Settings) -> tuple[Policy, ...]:
    """Every policy as this stack runs it; Refused `bad_policies` names all that is wrong."""
    ready, problems = checked(policies, settings)
    if problems:
        told = "\n  ".join(["policies are wrong:", *map(str, problems)])
        raise Refused("bad_policies", told, "correct policies/ and repeat")
    return ready


def checked(policies: Sequence[Policy], settings: Settings) -> tuple[tuple[Policy, ...], list[Problem]]:
    """The policies with which nothing is wrong, as this stack runs them, and everything that is wrong with any."""
    problems = [] if policies else [_none()]
    typed, unread, mistyped = well_typed(policies)
    problems += mistyped
    written = []
    for policy in typed:
        facts = dict(settings.facts)
        try:
            policy.resolve(facts)
        except KeyturnError as exc:
            problems.append(_unresolved(policy, exc))
            # the other rules have their say: a fact that is missing stands as its own name
            facts |= {name: name for name in policy.facts_asked() - facts.keys()}
        written.append(_placed(policy.resolve(facts), settings))
    circumstances = Circumstances(
        today=settings.checked_on, alias_lag_s=settings.alias_lag_s, client_poll_s=settings.client_poll_s
    )
    problems += check_policies(written, abilities(), circumstances, unread)
    # a role is measured with the policies that make sense: too large without the others is too large
    wrong = {problem.policy for problem in problems}
    ready = tuple(_capped(policy, settings) for policy in written if policy.name not in wrong)
    return ready, problems + _too_large(ready, settings)


def _none() -> Problem:
    problem, remedy = "policies.ALL is empty", "write a policy: a stack without one rotates nothing"
    return Problem(rule="policies-none", policy="", field="", problem=problem, remedy=remedy, file=_FOLDER)


def _unresolved(policy: Policy, exc: KeyturnError) -> Problem:
    file = file_of(policy.name)
    return Problem(
        rule="fact-unknown", policy=policy.name, field="facts", problem=exc.message, remedy=exc.remedy, file=file
    )


def _placed(policy: Policy, settings: Settings) -> Policy:
    if policy.store != "gcp":
        return policy
    # policies name Google secrets without the project, which is a fact of the stack
    prefix = f"projects/{settings.google_project}/secrets/"
    authority = policy.target.authority
    target = replace(policy.target, authority=prefix + authority if authority else "")
    return replace(policy, path=prefix + policy.ref.path, target=target)


def _capped(policy: Policy, settings: Settings) -> Policy:
    at_any_time = settings.starts_any_time == "yes"
    return replace(
        policy,
        overlap_s=_cap(policy.overlap_s, settings.overlap_cap_s),
        warm_up_s=_cap(policy.warm_up_s, settings.warm_up_cap_s),
        # an empty fact is no reader
        readers=tuple(reader for reader in policy.readers if reader),
        window=None if at_any_time else policy.window,
        freezes=() if at_any_time else policy.freezes,
    )


def _cap(seconds: int, cap: int) -> int:
    return min(seconds, cap) if cap else seconds


def _too_large(policies: Sequence[Policy], settings: Settings) -> list[Problem]:
    names = Names(settings)
    arns = stand_ins(names, policies)
    sizes = {
        kind: len(json.dumps(document(grants(kind, names, policies, arns)), separators=(",", ":")))
        for kind in FUNCTIONS
    }
    return [
        Problem(
            rule="role-size",
            policy="",
            field="",
            problem=f"the role of {names.of(kind)} would hold {size} characters, IAM allows {INLINE_POLICY_LIMIT}",
            remedy="split policies among stacks",
            file=_FOLDER,
        )
        for kind, size in sizes.items()
        if size > INLINE_POLICY_LIMIT
    ]
