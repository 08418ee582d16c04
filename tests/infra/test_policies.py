"""Policies are resolved and checked before the first resource: all that is wrong comes in one error."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from recorded_stacks import Stack

import policies
from infra.config import ROOT, Settings, settings
from infra.recording import record
from infra.resolved import checked, resolved
from infra.stack_file import stack_config
from policy_rules.check import PROGRAM_RULES
from rotation.errors import Refused
from rotation.policy import Fact, Target, Waiver, from_document


@pytest.fixture
def facts() -> Settings:
    return settings("prod", {key.removeprefix("keyturn:"): value for key, value in stack_config("prod").items()})


def test_no_policy_at_all_is_an_error(facts: Settings) -> None:
    with pytest.raises(Refused, match=r"policies\.ALL is empty"):
        resolved((), facts)


def test_a_fact_that_the_stack_does_not_have_is_refused_with_the_key_to_add(facts: Settings) -> None:
    policy = policies.PAYMENTS_POSTGRES
    target = Target(facts={"host": Fact("redisHost")}, authority="a")
    with pytest.raises(Refused, match=r"payments/postgres asks for the fact `redisHost`.*add `keyturn:redisHost`"):
        resolved([replace(policy, target=target)], facts)


def test_every_wrong_policy_is_named_in_one_error(facts: Settings) -> None:
    unknown = replace(
        policies.PAYMENTS_POSTGRES, name="a/missing", target=Target(facts={"x": Fact("nope")}, authority="a")
    )
    nowhere = replace(policies.PAYMENTS_POSTGRES, name="a/nowhere", path="elsewhere", store="azure")
    twice = policies.PARTNERS_API_TOKEN
    with pytest.raises(Refused) as caught:
        resolved([unknown, nowhere, twice, twice], facts)
    for part in (
        "a/missing",
        "names the store azure",
        "two policies are called partners/api-token",
        "a secret has one policy",
    ):
        assert part in caught.value.message


def test_a_policy_that_its_store_or_type_cannot_serve_is_refused_with_file_field_and_remedy(facts: Settings) -> None:
    faulty = replace(policies.PARTNERS_API_TOKEN, credential="signing-key", cadence="rate(3 hours)")
    with pytest.raises(Refused) as caught:
        resolved([faulty], facts)
    for part in (
        "policies/partners_api_token.py: policy partners/api-token, credential: the function of vault does not ship",
        "policies/partners_api_token.py: policy partners/api-token, cadence: rate(3 hours) rotates more often",
        "four hours or more apart",
    ):
        assert part in caught.value.message


def test_the_short_overlaps_of_one_stack_do_not_hide_what_another_would_refuse(facts: Settings) -> None:
    too_long = replace(policies.PARTNERS_API_TOKEN, overlap_s=7 * 24 * 3_600)
    with pytest.raises(Refused, match="overlap_s: is not shorter than the cadence"):
        resolved([too_long], replace(facts, overlap_cap_s=3))


def test_an_offending_policy_declares_no_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    declared: list[str] = []
    monkeypatch.setattr(policies, "ALL", (replace(policies.PAYMENTS_POSTGRES, owner=""),))
    monkeypatch.setattr("infra.program.declare_providers", lambda _: declared.append("providers"))
    with pytest.raises(Refused, match="policy payments/postgres, owner: is blank"):
        record("prod")
    assert not declared


def test_a_refused_policy_declares_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "ALL", ())
    with pytest.raises(Refused, match="empty"):
        record("prod")


def test_policies_too_many_for_one_role_are_refused_before_any_resource(facts: Settings) -> None:
    many = [replace(policies.PAYMENTS_POSTGRES, name=f"p/{number}", path=f"p/{number}") for number in range(60)]
    with pytest.raises(Refused, match=r"the role of keyturn-prod-aws would hold \d+ characters, IAM allows 10240"):
        resolved(many, facts)


def test_a_waiver_is_judged_as_of_the_day_that_the_stack_is_told(facts: Settings) -> None:
    waiver = Waiver(rule="group-alone", why="its neighbour comes later", owner="payments", expires="2026-12-31")
    excused = replace(policies.PAYMENTS_POSTGRES, group="databases", waivers=(waiver,))
    assert resolved([excused], replace(facts, checked_on=date(2026, 12, 31)))
    with pytest.raises(Refused, match=r"group-alone: expired on 2026-12-31.*\[waiver-expired\]"):
        resolved([excused], replace(facts, checked_on=date(2027, 1, 1)))


@pytest.mark.parametrize("day", ["today", "2026-02-30", "20261231"])
def test_a_day_that_is_none_is_refused(day: str) -> None:
    configured = {key.removeprefix("keyturn:"): value for key, value in stack_config("prod").items()}
    with pytest.raises(Refused, match="`keyturn:checkedOn` has to be a day such as 2026-12-31"):
        settings("prod", configured | {"checkedOn": day})


def test_an_overlap_is_compared_with_the_lag_of_its_stack(facts: Settings) -> None:
    signing = replace(policies.ANALYTICS_SIGNING_KEY, overlap_s=2 * 3_600)
    with pytest.raises(Refused, match=r"2 h is shorter than the lag of readers by alias in gcp \(4 h\)"):
        resolved([signing], facts)
    assert resolved([signing], replace(facts, alias_lag_s=0))


def test_every_problem_has_a_rule_that_the_page_about_policies_names(facts: Settings) -> None:
    unknown = replace(policies.PAYMENTS_POSTGRES, path=Fact("nope"), readers=(Fact("neither"),))
    many = [replace(policies.PAYMENTS_POSTGRES, name=f"p/{number}", path=f"p/{number}") for number in range(60)]
    mistyped = replace(policies.PAYMENTS_POSTGRES, overlap_s="86400")  # type: ignore[arg-type]
    found = [problem for given in ([mistyped], (), [unknown], many) for problem in checked(given, facts)[1]]
    assert [problem.rule for problem in found] == list(PROGRAM_RULES)
    assert "`neither`, `nope`" in found[2].problem


def test_a_fact_that_is_missing_hides_no_other_offence_and_no_other_policy(facts: Settings) -> None:
    wrong = replace(
        policies.PAYMENTS_POSTGRES,
        readers=(Fact("neither"),),
        owner=" ",
        cadence="rate(3 hours)",
        window=None,
        freezes=(),
    )
    child = replace(policies.PARTNERS_API_TOKEN, parent=wrong.name)
    _, found = checked([wrong, child], facts)
    assert [(one.policy, one.rule) for one in found] == [
        (wrong.name, "fact-unknown"),
        (wrong.name, "owner-missing"),
        (wrong.name, "cadence-too-often"),
        (wrong.name, "overlap-outlasts-cadence"),
    ]


def test_a_role_that_is_too_large_is_told_beside_other_offences(facts: Settings) -> None:
    many = [replace(policies.PAYMENTS_POSTGRES, name=f"p/{number}", path=f"p/{number}") for number in range(60)]
    _, found = checked([*many, replace(policies.PARTNERS_API_TOKEN, owner="")], facts)
    assert [one.rule for one in found] == ["owner-missing", "role-size"]


def test_a_cap_shortens_overlap_and_warm_up_and_zero_leaves_them(facts: Settings) -> None:
    (free,) = resolved([policies.PAYMENTS_POSTGRES], facts)
    assert (free.overlap_s, free.warm_up_s) == (24 * 3_600, 60)
    (capped,) = resolved([policies.PAYMENTS_POSTGRES], replace(facts, overlap_cap_s=3, warm_up_cap_s=1))
    assert (capped.overlap_s, capped.warm_up_s) == (3, 1)


def test_a_google_secret_gets_the_project_of_its_stack(stacks: dict[str, Stack]) -> None:
    for name, stack in stacks.items():
        document = stack.one("aws:s3/bucketObjectv2:BucketObjectv2", "policies/analytics/signing-key.json")
        policy = from_document(document.inputs["content"])
        assert policy.ref.path == f"projects/keyturn-{name}/secrets/analytics-signing-key"
        assert policy.authority_ref.path == f"projects/keyturn-{name}/secrets/keyturn-authority-verifier"


def test_the_catalogue_holds_facts_and_no_placeholder(stack: Stack) -> None:
    for one in stack.of("aws:s3/bucketObjectv2:BucketObjectv2"):
        if one.inputs["key"].endswith(".json"):
            policy = from_document(one.inputs["content"])
            assert all(policy.target_facts.values())
            assert policy.owner
            assert (ROOT / policy.runbook).is_file()
