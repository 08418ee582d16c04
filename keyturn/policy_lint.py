"""Every rule over every policy, for one stack or all of them, on one day: what `keyturn policy lint` finds.

The same check as before a deployment (`infra.resolved`), with the day said by the caller. Facts of stacks differ, so
that an overlap may be long enough in one and too short in another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from keyturn.policy_files import all_policies
from keyturn.stack import LOCAL, texts
from policy_rules.rule import Problem
from sandbox.layout import Layout


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A problem, and in which stacks it is one."""

    problem: Problem
    stacks: tuple[str, ...]


def lint(stacks: Sequence[str], today: date) -> list[Finding]:
    """All problems, once each; Refused `bad_policies` when the files cannot be imported, `bad_configuration`."""
    from infra.config import settings  # noqa: PLC0415  # imports pulumi
    from infra.resolved import checked  # noqa: PLC0415

    policies = all_policies()
    found: dict[Problem, list[str]] = {}
    for stack in stacks:
        configured = texts(stack)
        if stack == LOCAL:
            configured["sandboxFacts"] = str(Layout.from_env().facts)
        _, problems = checked(policies, replace(settings(stack, configured), checked_on=today))
        for problem in problems:
            found.setdefault(problem, []).append(stack)
    return [Finding(problem=problem, stacks=tuple(where)) for problem, where in found.items()]
