"""Rules about who agrees, what sets off a run, which credentials keep out of each other's way, and documents' sizes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from policy_rules.overlaps import CHANNELS
from policy_rules.rule import Case, Offence, Rule, length
from rotation.cadence import HOUR_S
from rotation.handwork import DUE_DAYS, MOST_DAYS, by_hand, due_days
from rotation.policy import Policy

TRIGGERS = ("leak", "human-read", "offboarding")
ON_OUTSIDE_CHANGE = ("alarm", "adopt")
SCHEDULERS = ("keyturn", "native")
# What IAM allows in a role's name.
_ROLE = re.compile(r"[A-Za-z0-9+=,.@_-]{1,64}")
# A person needs a minute to read what is asked; a request that nobody answers within a week is forgotten.
SHORTEST_APPROVAL_S, LONGEST_APPROVAL_S = 60, 7 * 86_400
# What Step Functions carries from state to state may be 256 KiB; references need far less, and events copy it.
STATE_LIMIT = 8 * 1_024
# The run's row keeps the policy that it follows, and DynamoDB writes and bills a row by the KiB.
DOCUMENT_LIMIT = 16 * 1_024
# Longest ARN of a caller (IAM allows 2,048), and as much again for what a person says.
_PERSON = 2_048


def _approval(case: Case) -> Iterator[Offence]:
    approval = case.policy.approval
    if approval is None:
        return
    if not approval.approvers or not all(name.strip() for name in approval.approvers):
        yield "approval.approvers", "names nobody, or a blank", "name the IAM roles that may agree"
    if len(set(approval.approvers)) < len(approval.approvers):
        yield "approval.approvers", "names a role twice", "name each role once"
    paths = [name for name in approval.approvers if name.strip() and not _ROLE.fullmatch(name)]
    if paths:
        # whoever answers is known by the name of the role alone, without account and path
        yield "approval.approvers", f"{', '.join(paths)} is not a role's name", "write the last part of its ARN alone"
    if not SHORTEST_APPROVAL_S <= approval.expires_s <= LONGEST_APPROVAL_S:
        least, most = length(SHORTEST_APPROVAL_S), length(LONGEST_APPROVAL_S)
        yield "approval.expires_s", f"is not between {least} and {most}", "give people time to answer, not for ever"


def _late_approval(case: Case) -> Iterator[Offence]:
    approval, window = case.policy.approval, case.policy.window
    if approval and window and approval.expires_s > window.hours * HOUR_S:
        yield (
            "approval.expires_s",
            f"is longer than the window of {length(window.hours * HOUR_S)}: a late answer finds it closed",
            "let the question expire with the window, or open the window for longer",
        )


def _by_hand(case: Case) -> Iterator[Offence]:
    policy = case.policy
    if not by_hand(policy.credential):
        return
    if not due_days(policy.target_facts):
        yield f"target.facts.{DUE_DAYS}", f"is no number from 1 to {MOST_DAYS}", "say how many days the person has"
    wished = {
        "approval": policy.approval,
        "consumers": policy.consumers,
        "invalidate": policy.invalidate,
        "group": policy.group,
        "warm_up_s": policy.warm_up_s,
        "scheduler": policy.scheduler != "keyturn",
    }
    for field in (name for name, wish in wished.items() if wish):
        yield field, "is nothing that a reminder can keep: a person does all of it", "remove it"


def _choices(case: Case) -> Iterator[Offence]:
    policy = case.policy
    several = {"invalidate": (policy.invalidate, CHANNELS), "triggers": (policy.triggers, TRIGGERS)}
    single = {
        "on_outside_change": ((policy.on_outside_change,), ON_OUTSIDE_CHANGE),
        "scheduler": ((policy.scheduler,), SCHEDULERS),
    }
    for field, (chosen, known) in (several | single).items():
        unknown = [one for one in chosen if one not in known]
        if unknown:
            yield field, f"{', '.join(unknown)} is not known", f"use {', '.join(known)}"
        if len(set(chosen)) < len(chosen):
            yield field, "names one twice", "name each once"


def _untold(case: Case) -> Iterator[Offence]:
    if case.store and "human-read" in case.policy.triggers and not case.store.tells_reads:
        yield "triggers", f"{case.policy.store} does not tell who reads", "remove human-read, or move the secret"


def _undeclared(case: Case) -> Iterator[Offence]:
    policy = case.policy
    # an empty fact is nobody
    declared = any(policy.readers) or any(consumer.role for consumer in policy.consumers)
    if "human-read" in policy.triggers and policy.consumers and not declared:
        named = ", ".join(consumer.name for consumer in policy.consumers)
        yield (
            "readers",
            f"is empty: each read by {named} would be taken for a person's and start an emergency rotation",
            "name the consumers' logins as the store does, or remove human-read",
        )


def _group(case: Case) -> Iterator[Offence]:
    policy = case.policy
    if policy.group and case.company.groups[policy.group] == 1:
        yield "group", f"{policy.group} has no other member", "write it as the others do, or remove it"


def _parent(case: Case) -> Iterator[Offence]:
    policy = case.policy
    by_name = case.company.by_name
    if not policy.parent:
        return
    if policy.parent in case.company.unread:
        # its own offence is said already
        return
    if policy.parent not in by_name:
        yield "parent", f"no policy is called {policy.parent}", "name one that exists"
    elif policy.name in _ancestors(policy, by_name):
        yield "parent", "is its own ancestor, so that neither would ever start", "remove one parent of the circle"
    elif by_name[policy.parent].scheduler == "native":
        yield "parent", f"{policy.parent} is rotated by the store's schedule", "leave its scheduler to keyturn"
    elif policy.group and by_name[policy.parent].group == policy.group:
        yield (
            "group",
            f"{policy.group} holds the parent {policy.parent} too: two rules for one pair",
            "remove one of them from the group: the order alone keeps them apart",
        )


def _ancestors(policy: Policy, by_name: dict[str, Policy]) -> set[str]:
    found: set[str] = set()
    name = policy.parent
    while name in by_name and name not in found:
        found.add(name)
        name = by_name[name].parent
    return found


def state_bytes(policy: Policy) -> int:
    """What a machine carries at most of a run of `policy`: the input, the claim and the failure, none of them cut."""
    state = {
        "secret": policy.name,
        "reason": "x" * _PERSON,
        "requested_by": "x" * _PERSON,
        # ids of runs and versions, words, ARNs of functions: none longer than a path
        **dict.fromkeys(("resume", "flags", "run", "last", "failure", "error"), "x" * 256),
    }
    return len(json.dumps(state))


def _state(case: Case) -> Iterator[Offence]:
    size = state_bytes(case.policy)
    if size > STATE_LIMIT:
        yield "name", f"would make a run's state {size} bytes, {STATE_LIMIT} are allowed", "shorten the name"


def _document(case: Case) -> Iterator[Offence]:
    size = len(case.policy.document().encode())
    if size > DOCUMENT_LIMIT:
        yield "policy", f"is {size} bytes as a document, {DOCUMENT_LIMIT} are allowed", "shorten lists and reasons"


RULES = (
    Rule(name="approval-form", says="an approval names roles and ends within a minute to a week", find=_approval),
    Rule(
        name="approval-outlasts-window",
        says="a question is answered or forgotten before the window closes",
        find=_late_approval,
        waivable=True,
    ),
    Rule(name="by-hand", says="a reminder says its days, and asks no machine for what a person does", find=_by_hand),
    Rule(name="choice-unknown", says="channels, triggers, scheduler and reactions are known words", find=_choices),
    Rule(name="trigger-untold", says="`human-read` is asked of a store that tells who reads", find=_untold),
    Rule(
        name="reader-undeclared",
        says="where `human-read` starts a run, the logins of the consumers are declared",
        find=_undeclared,
        waivable=True,
    ),
    Rule(name="group-alone", says="a group has more than one member", find=_group, waivable=True),
    Rule(
        name="parent-order",
        says="the parent exists, is started by Keyturn, is in no circle, and shares no group with its child",
        find=_parent,
    ),
    Rule(name="state-size", says="the state of a run stays below 8 KiB", find=_state),
    Rule(name="document-size", says="the policy's document stays below 16 KiB", find=_document),
)
