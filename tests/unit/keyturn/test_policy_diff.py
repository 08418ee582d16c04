"""A diff speaks as a reviewer does: every field of a policy has a direction, and every change is said once."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import Any

import pytest

from keyturn.policy_diff import changes, markdown, worst
from keyturn.policy_directions import DIRECTIONS, IDENTITIES, Direction
from policies.billing_processor_login import BILLING_PROCESSOR_LOGIN
from policies.exports_iam_key import EXPORTS_IAM_KEY as POLICY
from policies.partners_api_token import PARTNERS_API_TOKEN
from rotation.policy import Approval, Consumer, Fact, Freeze, Policy, Target, Waiver, Window

HOUR = 3_600
UPLOADER, EXPORT = POLICY.consumers
(WAIVER,) = POLICY.waivers
(FREEZE,) = POLICY.freezes
WINDOW, APPROVAL = POLICY.window, POLICY.approval
assert WINDOW
assert APPROVAL
WEAKER, STRONGER, CHANGED = Direction.WEAKER, Direction.STRONGER, Direction.CHANGED


def only(**changed: Any) -> tuple[Consumer, ...]:
    return (replace(UPLOADER, **changed), EXPORT)


# what is changed, the line that is said of it, and of the same change the other way round
SAID: dict[str, tuple[dict[str, Any], str, Direction]] = {
    "store": ({"store": "vault"}, "store aws -> vault: changed", CHANGED),
    "path": ({"path": Fact("exportsPath")}, "path exports/iam-key -> <exportsPath>: changed", CHANGED),
    "credential": ({"credential": "random-string"}, "credential aws-iam-access-key -> random-string: changed", CHANGED),
    "cadence": (
        {"cadence": "rate(90 days)"},
        "cadence cron(0 13 ? * WED#2 *) -> rate(90 days): weaker",
        STRONGER,
    ),
    "window": (
        {"window": replace(WINDOW, days=())},
        "window WED,THU 13:00-21:00 UTC -> every day 13:00-21:00 UTC: weaker",
        STRONGER,
    ),
    "window at all": ({"window": None}, "window WED,THU 13:00-21:00 UTC -> none: weaker", STRONGER),
    "window elsewhere": (
        {"window": Window(opens=3, hours=2)},
        "window WED,THU 13:00-21:00 UTC -> every day 03:00-05:00 UTC: changed",
        CHANGED,
    ),
    "freezes": (
        {"freezes": (FREEZE, Freeze(first="12-20", last="01-05", why="holidays"))},
        (
            "freezes 2027-03-29 to 2027-04-09 (the customer closes its books) -> 2027-03-29 to 2027-04-09 (the "
            "customer closes its books); 12-20 to 01-05 (holidays): stronger"
        ),
        WEAKER,
    ),
    "freezes fewer days": (
        {"freezes": (replace(FREEZE, last="2027-04-01"),)},
        (
            "freezes 2027-03-29 to 2027-04-09 (the customer closes its books) -> 2027-03-29 to 2027-04-01 (the "
            "customer closes its books): weaker"
        ),
        STRONGER,
    ),
    "freezes said anew": (
        {"freezes": (replace(FREEZE, why="books"),)},
        (
            "freezes 2027-03-29 to 2027-04-09 (the customer closes its books) -> 2027-03-29 to 2027-04-09 (books): "
            "changed"
        ),
        CHANGED,
    ),
    "another approver": (
        {"approval": replace(APPROVAL, approvers=("exports-lead", "intern"))},
        "approval.approvers exports-lead, security-duty -> exports-lead, intern: weaker",
        WEAKER,
    ),
    "target.facts.tls": (
        {"target": replace(POLICY.target, facts={**POLICY.target.facts, "tls": "off"})},
        "target.facts.tls none -> off: weaker",
        STRONGER,
    ),
    "approval": ({"approval": None}, "approval exports-lead or security-duty within 8 h -> none: weaker", STRONGER),
    "approval.approvers": (
        {"approval": replace(APPROVAL, approvers=("exports-lead",))},
        "approval.approvers exports-lead, security-duty -> exports-lead: stronger",
        WEAKER,
    ),
    "approval.expires_s": (
        {"approval": replace(APPROVAL, expires_s=24 * HOUR)},
        "approval.expires 8 h -> 24 h: weaker",
        STRONGER,
    ),
    "warm_up_s": ({"warm_up_s": 0}, "warm up 5 min -> none: weaker", STRONGER),
    "overlap_s": ({"overlap_s": HOUR}, "overlap 8 h -> 1 h: weaker", STRONGER),
    "target.facts": (
        {"target": replace(POLICY.target, facts={"user": "other"})},
        "target.facts.user keyturn-exports -> other: changed",
        CHANGED,
    ),
    "target.authority": (
        {"target": replace(POLICY.target, authority="a/b")},
        "target.authority none -> a/b: changed",
        CHANGED,
    ),
    "readers": (
        {"readers": (*POLICY.readers, "arn:more")},
        "readers <exportsReader> -> <exportsReader>, arn:more: weaker",
        STRONGER,
    ),
    "consumers": (
        {"consumers": (UPLOADER,)},
        "consumers.nightly-export ci within 10 h -> none: weaker",
        STRONGER,
    ),
    "consumers.kind": ({"consumers": only(kind="poll")}, "consumers.uploader.kind client -> poll: weaker", STRONGER),
    "consumers.lead_s": ({"consumers": only(lead_s=30)}, "consumers.uploader.lead 1 min -> 30 s: weaker", STRONGER),
    "consumers.role": (
        {"consumers": only(role="arn:other")},
        "consumers.uploader.role <exportsReader> -> arn:other: changed",
        CHANGED,
    ),
    "invalidate": ({"invalidate": ("sqs", "redis")}, "invalidate sqs -> sqs, redis: stronger", WEAKER),
    "acknowledge_s": ({"acknowledge_s": 0}, "acknowledge 2 h -> none: weaker", STRONGER),
    "told later": ({"acknowledge_s": 4 * HOUR}, "acknowledge 2 h -> 4 h: weaker", STRONGER),
    "group": ({"group": ""}, "group outbound -> none: weaker", STRONGER),
    "parent": ({"parent": "payments/postgres"}, "parent none -> payments/postgres: stronger", WEAKER),
    "on_outside_change": ({"on_outside_change": "adopt"}, "on outside change alarm -> adopt: weaker", STRONGER),
    "triggers": (
        {"triggers": ("leak",)},
        "triggers leak, human-read, offboarding -> leak: weaker",
        STRONGER,
    ),
    "scheduler": ({"scheduler": "native"}, "scheduler keyturn -> native: weaker", STRONGER),
    "owner": ({"owner": "platform"}, "owner exports -> platform: changed", CHANGED),
    "runbook": (
        {"runbook": "docs/runbooks/repair.md"},
        "runbook docs/runbooks/rotation.md -> docs/runbooks/repair.md: changed",
        CHANGED,
    ),
    "waivers": (
        {"waivers": ()},
        (
            "waivers.overlap-below-floor until 2027-06-30 (exports: the export's last two hours only pack what is "
            "uploaded already; it is being cut in two) -> none: stronger"
        ),
        WEAKER,
    ),
    "waivers.why": (
        {"waivers": (replace(WAIVER, why="so"),)},
        (
            "waivers.overlap-below-floor.why the export's last two hours only pack what is uploaded already; it is "
            "being cut in two -> so: changed"
        ),
        CHANGED,
    ),
    "waivers.owner": (
        {"waivers": (replace(WAIVER, owner="platform"),)},
        "waivers.overlap-below-floor.owner exports -> platform: changed",
        CHANGED,
    ),
    "waivers.expires": (
        {"waivers": (replace(WAIVER, expires="2027-07-31"),)},
        "waivers.overlap-below-floor.expires 2027-06-30 -> 2027-07-31: weaker",
        STRONGER,
    ),
}


def documents(*policies: Policy) -> list[dict[str, Any]]:
    return [asdict(policy) for policy in policies]


@pytest.mark.parametrize("field", SAID)
def test_a_change_of_a_field_is_said_once_with_its_direction_and_the_other_way_round_too(field: str) -> None:
    changed, line, back = SAID[field]
    before, after = documents(POLICY), documents(replace(POLICY, **changed))
    assert list(map(str, changes(before, after))) == [f"exports/iam-key: {line}"]
    assert [change.direction for change in changes(after, before)] == [back]


def test_every_field_of_a_policy_and_of_its_parts_has_a_direction() -> None:
    named = {field.name for field in fields(Policy)} - {"target"}
    parts = {"target": Target, "approval": Approval, "consumers": Consumer, "waivers": Waiver}
    named |= {f"{part}.{field.name}" for part, kind in parts.items() for field in fields(kind)}
    # two facts of targets are judged by themselves
    facts = {"target.facts.tls", "target.facts.due_days"}
    assert named == (set(DIRECTIONS) - {"policy", *facts}) | IDENTITIES


def test_more_days_for_a_person_are_weaker_and_what_is_no_number_is_changed() -> None:
    def within(days: str) -> list[dict[str, Any]]:
        target = BILLING_PROCESSOR_LOGIN.target
        facts = {**target.facts, "due_days": days}
        return documents(replace(BILLING_PROCESSOR_LOGIN, target=replace(target, facts=facts)))

    said = "billing/processor-login: target.facts.due days"
    # as numbers: 9 is less than 14
    assert list(map(str, changes(within("9"), within("14")))) == [f"{said} 9 -> 14: weaker"]
    assert list(map(str, changes(within("14"), within("9")))) == [f"{said} 14 -> 9: stronger"]
    assert list(map(str, changes(within("14"), within("soon")))) == [f"{said} 14 -> soon: changed"]


def test_every_direction_is_shown_by_an_example() -> None:
    assert set(DIRECTIONS) - {"policy", "target.facts.due_days"} <= set(SAID)


def test_a_policy_that_is_gone_is_weaker_and_one_that_is_new_is_stronger() -> None:
    before, after = documents(POLICY), documents(PARTNERS_API_TOKEN)
    assert list(map(str, changes(before, after))) == [
        "exports/iam-key: policy aws-iam-access-key in aws, cron(0 13 ? * WED#2 *) -> none: weaker",
        "partners/api-token: policy none -> bearer-token in vault, rate(7 days): stronger",
    ]


def test_the_exceptions_of_a_new_policy_are_shown_and_are_weaker() -> None:
    policy, waiver = changes([], documents(POLICY))
    assert (policy.field, policy.direction) == ("policy", STRONGER)
    assert (waiver.field, waiver.direction) == ("waivers.overlap-below-floor", WEAKER)
    assert WAIVER.why in str(waiver)


def test_nothing_differs_from_itself_written_as_json_or_not() -> None:
    document = asdict(POLICY)
    assert changes([document], [{**document, "triggers": list(document["triggers"])}]) == []
    assert worst([]) is None


def test_an_older_revision_without_todays_fields_differs_only_by_what_is_set_now() -> None:
    old = {name: value for name, value in asdict(PARTNERS_API_TOKEN).items() if name not in ("triggers", "waivers")}
    assert [change.field for change in changes([old], documents(PARTNERS_API_TOKEN))] == ["triggers"]


def test_a_field_that_this_version_does_not_know_is_shown_as_changed() -> None:
    old = {**asdict(POLICY), "cohort": "10 %"}
    assert list(map(str, changes([old], documents(POLICY)))) == ["exports/iam-key: cohort 10 % -> none: changed"]


def test_one_weaker_change_decides_whatever_is_stronger_beside_it() -> None:
    both = changes(documents(POLICY), documents(replace(POLICY, overlap_s=HOUR, warm_up_s=HOUR)))
    assert worst(both) is WEAKER
    assert worst([change for change in both if change.direction is STRONGER]) is CHANGED


def test_the_markdown_form_begins_with_what_is_weaker_and_lets_no_text_of_a_policy_out_of_its_cell() -> None:
    after = replace(POLICY, overlap_s=HOUR, owner="a|b `c` @team\n| d")
    lines = markdown(changes(documents(POLICY), documents(after)), "Policies").splitlines()
    assert lines[:3] == ["### Policies", "", "2 differences, 1 weaker."]
    assert lines[6] == "| `exports/iam-key` | `overlap` | `8 h` | `1 h` | **weaker** |"
    assert lines[7] == "| `exports/iam-key` | `owner` | `exports` | `a\\|b 'c' @team \\| d` | changed |"
    assert "No policy differs." in markdown([], "Policies")
