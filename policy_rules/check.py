"""Every rule in one table, and the check that collects all offences: nothing stops at the first.

A waiver switches off one rule, of those that are judgements, until its date. Not here: facts of a stack
(`Policy.resolve`), the sizes of roles (`infra.resolved`), and what a target's facts may be (the issuer says so itself).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from policy_rules import guards, overlaps, places, schedules, types, waivers
from policy_rules.rule import Abilities, Case, Circumstances, Company, Problem, Rule, file_of
from rotation.policy import Policy


def _table() -> Mapping[str, Rule]:
    return RULES


RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        *places.RULES,
        *schedules.RULES,
        *overlaps.RULES,
        *guards.RULES,
        *waivers.RULES,
        waivers.unknown(_table),
    )
}

# What is seen before a rule is asked, or by the program of a stack only; here, so that all names stand in one place.
PROGRAM_RULES: Mapping[str, str] = {
    types.NAME: types.SAYS,
    "policies-none": "a stack has a policy",
    "fact-unknown": "every fact that a policy names is one of the stack",
    "role-size": "the inline policies of a function's role stay below 10,240 characters (IAM)",
}


def check_policies(
    policies: Sequence[Policy],
    abilities: Abilities,
    circumstances: Circumstances,
    unread: Sequence[Policy] = (),
) -> list[Problem]:
    """Every problem of every policy, in the order of the policies; empty when all fit.

    policies: resolved. unread: others of the same stack, of which `well_typed` has said already what is wrong.
    """
    typed, mistyped, problems = well_typed(policies)
    company = Company(typed, [*mistyped, *unread])
    for policy in typed:
        case = Case(policy=policy, company=company, abilities=abilities, circumstances=circumstances)
        problems += _of_one(case)
    return problems


def well_typed(policies: Sequence[object]) -> tuple[list[Policy], list[Policy], list[Problem]]:
    """The policies that rules can read, the others, and what is wrong with those; facts may still stand in them."""
    good: list[Policy] = []
    bad: list[Policy] = []
    problems: list[Problem] = []
    for policy in policies:
        if not isinstance(policy, Policy):
            problems.append(_no_policy(policy))
            continue
        offences = list(types.mistyped(policy))
        (bad if offences else good).append(policy)
        problems += [_problem(types.NAME, policy, *offence) for offence in offences]
    return good, bad, problems


def _no_policy(found: object) -> Problem:
    """A tuple, mostly: a comma behind the whole policy makes one, and nothing of it tells where it stands."""
    problem, remedy = f"ALL holds a {type(found).__name__}", "list policies only; a comma behind one makes it a tuple"
    return Problem(rule=types.NAME, policy="", field="", problem=problem, remedy=remedy, file="policies/__init__.py")


def _of_one(case: Case) -> list[Problem]:
    off = {name for name in waivers.waived(case) if name in RULES and RULES[name].waivable}
    return [
        _problem(rule.name, case.policy, *offence)
        for rule in RULES.values()
        if rule.name not in off
        for offence in rule.find(case)
    ]


def _problem(rule: str, policy: Policy, field: str, problem: str, remedy: str) -> Problem:
    # a mistyped name is none
    name = str(policy.name)
    return Problem(rule=rule, policy=name, field=field, problem=problem, remedy=remedy, file=file_of(name))
