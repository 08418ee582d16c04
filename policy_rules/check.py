"""Every rule in one table, and the check that collects all offences: nothing stops at the first.

A waiver switches off one rule, of those that are judgements, until its date. Not here: facts of a stack
(`Policy.resolve`), the sizes of roles (`infra.resolved`), and what a target's facts may be (the issuer says so itself).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from policy_rules import guards, overlaps, places, schedules, waivers
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

# What only the program of a stack can see; said here, so that all names stand in one place.
PROGRAM_RULES: Mapping[str, str] = {
    "policies-none": "a stack has a policy",
    "fact-unknown": "every fact that a policy names is one of the stack",
    "role-size": "the inline policies of a function's role stay below 10,240 characters (IAM)",
}


def check_policies(policies: Sequence[Policy], abilities: Abilities, circumstances: Circumstances) -> list[Problem]:
    """Every problem of every policy, in the order of the policies; empty when all fit. Policies must be resolved."""
    company = Company(policies)
    cases = (
        Case(policy=policy, company=company, abilities=abilities, circumstances=circumstances) for policy in policies
    )
    return [problem for case in cases for problem in _of_one(case)]


def _of_one(case: Case) -> list[Problem]:
    off = {name for name in waivers.waived(case) if name in RULES and RULES[name].waivable}
    return [
        Problem(
            rule=rule.name,
            policy=case.policy.name,
            field=field,
            problem=problem,
            remedy=remedy,
            file=file_of(case.policy.name),
        )
        for rule in RULES.values()
        if rule.name not in off
        for field, problem, remedy in rule.find(case)
    ]
