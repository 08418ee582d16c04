"""Policies as a table, and one policy field by field, readable off a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Group, RenderableType
from rich.text import Text

from keyturn.console import table
from keyturn.policy_lint import Finding
from keyturn.policy_words import NOTHING, label, said
from policy_rules.rule import file_of, length
from rotation.policy import Policy


def table_of(policies: Sequence[Policy]) -> RenderableType:
    """All policies, a row each."""
    shown = table("", "policy", "store", "credential", "cadence", "overlap", "window", "approval", "consumers", "owner")
    for policy in policies:
        document = asdict(policy)
        shown.add_row(
            policy.name,
            policy.store,
            policy.credential,
            policy.cadence,
            length(policy.overlap_s),
            said("window", document["window"]) if policy.window else "any time",
            said("approval", document["approval"]),
            ", ".join(consumer.name for consumer in policy.consumers) or NOTHING,
            policy.owner,
        )
    return shown


def one(policy: Policy) -> RenderableType:
    """One policy, a field a line, in the order of its type."""
    shown = table("", "field", "value")
    for field, value in asdict(policy).items():
        if field == "target":
            for fact, text in value["facts"].items():
                shown.add_row(f"target {fact}", said("", text))
            shown.add_row("target authority", said("", value["authority"]))
        else:
            shown.add_row(label(field), said(field, value))
    return Group(Text(f"{policy.name}, in {file_of(policy.name)}", style="bold"), shown)


def findings(found: Sequence[Finding], everywhere: int) -> RenderableType:
    """Every problem, two lines each: where and what, then what to do."""
    lines = []
    for finding in found:
        problem = finding.problem
        where = "" if len(finding.stacks) == everywhere else f" (only in {', '.join(finding.stacks)})"
        named = f"{problem.policy} {problem.field}: " if problem.policy else ""
        lines.append(Text(f"{problem.file}: {named}{problem.problem}{where} [{problem.rule}]", style="red"))
        lines.append(Text(f"  {problem.remedy}"))
    return Group(*lines)
