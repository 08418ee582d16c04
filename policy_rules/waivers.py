"""Rules about exceptions: a waiver names a rule that may be waived, why and who answers, and ends within a year."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta

from policy_rules.rule import Case, Offence, Rule
from rotation.policy import Waiver

# Whoever needs an exception for longer changes the rule, or the policy.
LONGEST = timedelta(days=366)


def _form(case: Case) -> Iterator[Offence]:
    for waiver in case.policy.waivers:
        if not (waiver.why.strip() and waiver.owner.strip()):
            yield "waivers", f"{waiver.rule}: owner or reason is blank", "say who answers for it, and why"
        ends = expiry(waiver)
        if ends is None:
            yield "waivers", f"{waiver.rule}: {waiver.expires} is no day", "write it as 2026-12-31"
        elif ends > case.circumstances.today + LONGEST:
            yield "waivers", f"{waiver.rule}: lasts longer than a year", "end it sooner, and decide again then"


def _twice(case: Case) -> Iterator[Offence]:
    for rule, count in Counter(waiver.rule for waiver in case.policy.waivers).items():
        if count > 1:
            # the later one would go on where the earlier one ends, and no reviewer saw it end
            yield "waivers", f"{rule}: is waived {count} times", "keep one, with one last day"


def _expired(case: Case) -> Iterator[Offence]:
    for waiver in case.policy.waivers:
        ends = expiry(waiver)
        if ends and ends < case.circumstances.today:
            yield (
                "waivers",
                f"{waiver.rule}: expired on {waiver.expires}",
                f"mend what it excused, or ask {waiver.owner} to decide again",
            )


def unknown(rules: Callable[[], Mapping[str, Rule]]) -> Rule:
    """The rule that a waiver names one of `rules` which may be waived; asked late, because it is one of them itself."""

    def find(case: Case) -> Iterator[Offence]:
        known = rules()
        may_be = ", ".join(name for name, rule in known.items() if rule.waivable)
        for waiver in case.policy.waivers:
            if waiver.rule not in known:
                yield "waivers", f"{waiver.rule} is no rule", f"name one of {may_be}"
            elif not known[waiver.rule].waivable:
                yield "waivers", f"{waiver.rule} cannot be waived", f"mend it; only these can: {may_be}"

    return Rule(name="waiver-unknown", says="a waiver names a rule that may be waived", find=find)


def expiry(waiver: Waiver) -> date | None:
    """The last day on which it holds; None when that cannot be read."""
    try:
        return date.fromisoformat(waiver.expires) if len(waiver.expires) == len("2026-12-31") else None
    except ValueError:
        return None


def waived(case: Case) -> set[str]:
    """The names of the rules that a waiver switches off today."""
    today = case.circumstances.today
    return {waiver.rule for waiver in case.policy.waivers if (ends := expiry(waiver)) and ends >= today}


RULES = (
    Rule(name="waiver-form", says="a waiver says why, who answers for it, and ends within a year", find=_form),
    Rule(name="waiver-twice", says="a policy waives a rule once", find=_twice),
    Rule(name="waiver-expired", says="no waiver has passed its last day", find=_expired),
)
