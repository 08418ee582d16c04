"""Further examples of rules, as in `policy_examples`: overlaps, consumers, guards and waivers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from policy_bench import CLIENT, HOUR, Example, policy, waiver

from rotation.policy import Approval, Consumer, Policy, Target, Window

HEARD = {"invalidate": ("redis",), "acknowledge_s": HOUR}


def poll(lead_s: int) -> Consumer:
    return Consumer(name="gateway", kind="poll", lead_s=lead_s)


def approved(*approvers: str, expires_s: int = HOUR) -> Policy:
    return policy(approval=Approval(approvers=approvers, expires_s=expires_s))


def by_hand(days: str = "14", **changes: Any) -> Policy:
    target = Target(facts={"console": "https://console.example", "due_days": days}, authority="")
    return policy(credential="reminder", overlap_s=0, **{"warm_up_s": 0, "target": target, **changes})


EXAMPLES = {
    "one slot and a poll": Example(
        "no-overlap-cuts-off",
        policy(credential="one-slot", overlap_s=0),
        policy(credential="one-slot", overlap_s=0, consumers=(poll(HOUR),)),
        "credential",
        "one-slot keeps one credential at a time, and the poll interval of gateway (1 h) is cut off",
    ),
    "one slot and an alias": Example(
        "no-overlap-cuts-off",
        policy(credential="one-slot", overlap_s=0),
        policy("gcp", credential="one-slot", overlap_s=0),
        "credential",
        "the lag of readers by alias in gcp (4 h) is cut off",
    ),
    "approver by ARN": Example(
        "approval-form",
        approved("lead"),
        approved("lead", "arn:aws:iam::1:role/lead"),
        "approval.approvers",
        "arn:aws:iam::1:role/lead is not a role's name",
    ),
    "late answer": Example(
        "approval-outlasts-window",
        replace(approved("lead", expires_s=4 * HOUR), window=Window(opens=8, hours=4)),
        replace(approved("lead", expires_s=4 * HOUR + 1), window=Window(opens=8, hours=4)),
        "approval.expires_s",
        "a late answer finds it closed",
    ),
    "waiver twice": Example(
        "waiver-twice",
        policy(group="alone", waivers=(waiver("group-alone"),)),
        policy(group="alone", waivers=(waiver("group-alone"), waiver("group-alone", expires="2027-06-30"))),
        "waivers",
        "group-alone: is waived 2 times",
    ),
    "days of a reminder": Example("by-hand", by_hand(), by_hand("90"), "target.facts.due_days", "no number from 1"),
    "a reminder that warms up": Example(
        "by-hand", by_hand(), by_hand(warm_up_s=60), "warm_up_s", "is nothing that a reminder can keep"
    ),
    "a reminder that waits for approval": Example(
        "by-hand",
        by_hand(),
        by_hand(approval=Approval(approvers=("lead",), expires_s=HOUR)),
        "approval",
        "is nothing that a reminder can keep",
    ),
    "overlap of one slot": Example(
        "overlap-form",
        policy(credential="one-slot", overlap_s=0),
        policy(credential="one-slot", overlap_s=1),
        "overlap_s",
        "cannot keep two credentials valid",
    ),
    "negative overlap": Example("overlap-form", policy(overlap_s=1), policy(overlap_s=-1), "overlap_s", "negative"),
    "no overlap": Example("overlap-missing", policy(overlap_s=1), policy(overlap_s=0), "overlap_s", "is 0, though"),
    "overlap as long as the cadence": Example(
        "overlap-outlasts-cadence",
        policy(cadence="rate(1 day)", overlap_s=24 * HOUR - 61),
        policy(cadence="rate(1 day)", overlap_s=24 * HOUR - 60),
        "overlap_s",
        "not shorter than the cadence",
    ),
    "overlap as long as a cron's shortest pause": Example(
        "overlap-outlasts-cadence",
        policy(cadence="cron(0 8/8 * * ? *)", overlap_s=7 * HOUR),
        policy(cadence="cron(0 2/10 * * ? *)", overlap_s=4 * HOUR),
        "overlap_s",
        "not shorter than the cadence",
    ),
    "long wait": Example(
        "overlap-outlasts-cadence",
        policy(cadence="rate(2 days)", consumers=(CLIENT,), **HEARD),
        policy(cadence="rate(2 days)", consumers=(CLIENT,), **HEARD | {"acknowledge_s": 24 * HOUR}),
        "acknowledge_s",
        "until the next rotation is due",
    ),
    "alias lag": Example(
        "overlap-below-floor",
        policy("gcp", overlap_s=4 * HOUR),
        policy("gcp", overlap_s=4 * HOUR - 1),
        "overlap_s",
        "shorter than the lag of readers by alias in gcp (4 h)",
    ),
    "poll": Example(
        "overlap-below-floor",
        policy(consumers=(poll(24 * HOUR),)),
        policy(consumers=(poll(24 * HOUR + 1),)),
        "overlap_s",
        "the poll interval of gateway",
    ),
    "job": Example(
        "overlap-below-floor",
        policy(),
        policy(overlap_s=HOUR, consumers=(Consumer(name="deploy", kind="ci", lead_s=6 * HOUR),)),
        "overlap_s",
        "the longest job of deploy (6 h)",
    ),
    "client poll": Example(
        "overlap-below-floor",
        policy(overlap_s=300, consumers=(CLIENT,), **HEARD),
        policy(overlap_s=299, consumers=(CLIENT,), **HEARD),
        "overlap_s",
        "the client service looks by itself (5 min)",
    ),
    "negative warm-up": Example("warm-up-range", policy(warm_up_s=0), policy(warm_up_s=-1), "warm_up_s", "negative"),
    "long warm-up": Example(
        "warm-up-range", policy(warm_up_s=24 * HOUR), policy(warm_up_s=24 * HOUR + 1), "warm_up_s", "than a day"
    ),
    "nameless": Example(
        "consumer-form",
        policy(consumers=(poll(60),)),
        policy(consumers=(Consumer(name="", kind="poll", lead_s=60),)),
        "consumers",
        "no name",
    ),
    "kind of consumer": Example(
        "consumer-form",
        policy(consumers=(poll(60),)),
        policy(consumers=(Consumer(name="a", kind="owl", lead_s=60),)),
        "consumers",
        "a is of the kind owl",
    ),
    "no lead": Example(
        "consumer-form", policy(consumers=(poll(1),)), policy(consumers=(poll(0),)), "consumers", "has no lead"
    ),
    "same consumer": Example(
        "consumer-form",
        policy(consumers=(poll(1),)),
        policy(consumers=(poll(1), poll(2))),
        "consumers",
        "two are called gateway",
    ),
    "no channel": Example(
        "client-unheard",
        policy(consumers=(CLIENT,), **HEARD),
        policy(consumers=(CLIENT,), **HEARD | {"invalidate": ()}),
        "invalidate",
        "no client hears",
    ),
    "no wait": Example(
        "client-unheard",
        policy(consumers=(CLIENT,), **HEARD),
        policy(consumers=(CLIENT,), **HEARD | {"acknowledge_s": 0}),
        "acknowledge_s",
        "nobody waits",
    ),
    "no role": Example(
        "client-unheard",
        policy(consumers=(CLIENT,), **HEARD),
        policy(consumers=(Consumer(name="service", kind="client", lead_s=60),), **HEARD),
        "consumers",
        "service has no role",
    ),
    "nobody to wait for": Example(
        "acknowledge-nobody", policy(), policy(acknowledge_s=60), "acknowledge_s", "there is none"
    ),
    "negative wait": Example("acknowledge-nobody", policy(), policy(acknowledge_s=-1), "acknowledge_s", "is negative"),
    "nobody agrees": Example("approval-form", approved("Lead"), approved(), "approval.approvers", "names nobody"),
    "same approver": Example("approval-form", approved("A", "B"), approved("A", "A"), "approval.approvers", "twice"),
    "endless approval": Example(
        "approval-form",
        approved("Lead", expires_s=7 * 24 * HOUR),
        approved("Lead", expires_s=7 * 24 * HOUR + 1),
        "approval.expires_s",
        "is not between 1 min and 7 d",
    ),
    "channel": Example(
        "choice-unknown", policy(invalidate=("sqs",)), policy(invalidate=("fax",)), "invalidate", "fax is not known"
    ),
    "trigger": Example("choice-unknown", policy(triggers=("leak",)), policy(triggers=("flood",)), "triggers", "flood"),
    "trigger twice": Example(
        "choice-unknown", policy(triggers=("leak",)), policy(triggers=("leak", "leak")), "triggers", "names one twice"
    ),
    "reaction": Example(
        "choice-unknown",
        policy(on_outside_change="adopt"),
        policy(on_outside_change="ignore"),
        "on_outside_change",
        "use alarm, adopt",
    ),
    "scheduler": Example("choice-unknown", policy(), policy(scheduler="cron"), "scheduler", "use keyturn, native"),
    "human read": Example(
        "trigger-untold",
        policy("vault", triggers=("human-read",)),
        policy("gcp", triggers=("human-read",)),
        "triggers",
        "gcp does not tell who reads",
    ),
    "readers that nobody declared": Example(
        "reader-undeclared",
        policy("vault", triggers=("human-read",), consumers=(poll(60),), readers=("jwt-gateway",)),
        policy("vault", triggers=("human-read",), consumers=(poll(60),)),
        "readers",
        "each read by gateway would be taken for a person's",
    ),
    "readers that no stack has": Example(
        "reader-undeclared",
        policy(triggers=("human-read",), consumers=(replace(poll(60), role="arn:aws:iam::1:role/gateway"),)),
        policy(triggers=("human-read",), consumers=(poll(60),), readers=("",)),
        "readers",
        "or remove human-read",
    ),
    "lost parent": Example("parent-order", policy(), policy(parent="a/b"), "parent", "no policy is called a/b"),
    "own parent": Example(
        "parent-order", policy(), policy(parent="payments/postgres"), "parent", "is its own ancestor"
    ),
    "lone group": Example("group-alone", policy(), policy(group="databases"), "group", "has no other member"),
    "state": Example("state-size", policy(name="n" * 1_500), policy(name="n" * 3_000), "name", "8192 are allowed"),
    "document": Example(
        "document-size",
        policy(readers=("r" * 100,) * 100),
        policy(readers=("r" * 100,) * 200),
        "policy",
        "16384 are allowed",
    ),
    "blank waiver": Example(
        "waiver-form",
        policy(waivers=(waiver("group-alone"),)),
        policy(waivers=(waiver("group-alone", owner=""),)),
        "waivers",
        "owner or reason is blank",
    ),
    "waiver's day": Example(
        "waiver-form",
        policy(waivers=(waiver("group-alone"),)),
        policy(waivers=(waiver("group-alone", expires="soon"),)),
        "waivers",
        "soon is no day",
    ),
    "endless waiver": Example(
        "waiver-form",
        policy(waivers=(waiver("group-alone", expires="2027-11-23"),)),
        policy(waivers=(waiver("group-alone", expires="2027-11-24"),)),
        "waivers",
        "longer than a year",
    ),
    "expired": Example(
        "waiver-expired",
        policy(waivers=(waiver("group-alone", expires="2026-11-22"),)),
        policy(waivers=(waiver("group-alone", expires="2026-11-21"),)),
        "waivers",
        "expired on 2026-11-21",
    ),
    "waiver of nothing": Example(
        "waiver-unknown",
        policy(waivers=(waiver("group-alone"),)),
        policy(waivers=(waiver("rule-of-thumb"),)),
        "waivers",
        "rule-of-thumb is no rule",
    ),
    "waiver of what cannot work": Example(
        "waiver-unknown",
        policy(waivers=(waiver("group-alone"),)),
        policy(waivers=(waiver("store-unknown"),)),
        "waivers",
        "store-unknown cannot be waived",
    ),
}
