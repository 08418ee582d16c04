"""A policy that its store, its credential type or its schedule cannot serve is named, with file, field and remedy."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import policy_examples
import policy_examples_more
import pytest
from policy_bench import ABILITIES, CIRCUMSTANCES, CLIENT, HOUR, PATHS, policy, waiver
from policy_examples_more import HEARD

import policies
from infra.abilities import abilities as abilities_of_this_tree
from policy_rules.check import RULES, check_policies
from policy_rules.place_forms import PLACES
from policy_rules.rule import Problem, file_of
from policy_rules.schedules import broken_floors, longest_closed_s
from rotation.capabilities import issuer_capabilities, store_capabilities
from rotation.policy import Approval, Freeze, Policy, Target, Window

CHECKOUT = Path(__file__).resolve().parents[3]
SDKS = ("boto3", "botocore", "hvac", "google", "grpc", "pg8000", "cryptography", "requests")
EXAMPLES = policy_examples.EXAMPLES | policy_examples_more.EXAMPLES
# Rules that look at two policies; each has a test of its own below.
OF_TWO = {"name-twice", "place-twice", "file-twice"}


def problems(*given: Policy) -> list[Problem]:
    return check_policies(given, ABILITIES, CIRCUMSTANCES)


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_rule_refuses_its_bad_example_with_field_remedy_and_file_and_lets_the_good_one_through(example: str) -> None:
    rule, good, bad, field, said = EXAMPLES[example]
    assert [one for one in problems(good) if one.rule == rule] == []
    (problem,) = [one for one in problems(bad) if one.rule == rule]
    assert problem.field == field
    assert said in problem.problem + ": " + problem.remedy
    assert problem.remedy
    assert str(problem).startswith(f"{problem.file}: policy {bad.name}, {field}: ")
    assert str(problem).endswith(f": {problem.remedy} [{rule}]")


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_good_example_of_a_rule_breaks_no_other_one(example: str) -> None:
    good = EXAMPLES[example].good
    # the one credential of a group that is alone is the subject of no example but its own
    assert problems(good) == []


def test_every_rule_has_its_examples() -> None:
    assert {example.rule for example in EXAMPLES.values()} | OF_TWO == set(RULES)


@pytest.mark.parametrize("store", PATHS)
def test_a_good_policy_of_every_store_passes(store: str) -> None:
    assert problems(policy(store)) == []


def test_two_policies_of_one_name_or_of_one_place_are_refused_and_both_named() -> None:
    twins = problems(policy(), policy(path="other"))
    assert [(p.rule, p.problem) for p in twins] == [("name-twice", "two policies are called payments/postgres")] * 2
    neighbours = problems(policy(), policy(name="other/name"))
    assert [(p.rule, p.policy) for p in neighbours] == [
        ("place-twice", "payments/postgres"),
        ("place-twice", "other/name"),
    ]
    assert all("other/name and payments/postgres" in p.problem for p in neighbours)
    assert problems(policy(), policy("gcp", name="other/name")) == []


def test_two_policies_whose_names_lead_to_one_file_are_refused() -> None:
    found = problems(policy(name="pay/a-b", path="x"), policy(name="pay/a_b", path="y"))
    assert [(p.rule, p.policy) for p in found] == [("file-twice", "pay/a-b"), ("file-twice", "pay/a_b")]
    assert all("policies/pay_a_b.py" in p.problem for p in found)
    assert problems(policy(name="pay/a-b", path="x"), policy(name="pay/a-c", path="y")) == []


def test_a_parent_that_its_store_rotates_by_itself_is_refused_because_nobody_keeps_the_order() -> None:
    parent = policy(name="a/parent", path="a/parent", scheduler="native", cadence="cron(0 2 1 * ? *)")
    (found,) = problems(parent, policy(parent="a/parent"))
    assert (found.rule, found.field) == ("parent-order", "parent")
    assert "rotated by the store's schedule" in found.problem


MISTYPED = {
    "text for a number": ({"overlap_s": "86400"}, "overlap_s", "valid integer, and is text"),
    "a truth for a number": ({"overlap_s": True}, "overlap_s", "valid integer, and is a truth value"),
    "a length of time": ({"overlap_s": timedelta(days=1)}, "overlap_s", "valid integer"),
    "half an hour": ({"window": Window(opens=8.5, hours=4)}, "window.opens", "is a fraction"),  # type: ignore[arg-type]
    "a forgotten comma": ({"freezes": Freeze(first="12-01", last="12-02", why="x")}, "freezes", "comma: (one,)"),
    "letters for words": ({"triggers": "leak"}, "triggers", "comma: (one,)"),
    "letters for roles": (
        {"approval": Approval(approvers="lead", expires_s=HOUR)},  # type: ignore[arg-type]
        "approval.approvers",
        "comma: (one,)",
    ),
    "a name for a consumer": ({"consumers": ("web",)}, "consumers.0", "an object, and is text"),
    "a set of owners": ({"owner": {"payments"}}, "owner", "of a kind that no policy holds"),
    "a class": ({"runbook": str}, "runbook", "of a kind that no policy holds"),
    "a set for a fact": (
        {"target": Target(facts={"host": {"db"}}, authority="authority/postgres")},  # type: ignore[dict-item]
        "target.facts.host",
        "of a kind that no policy holds",
    ),
    "a dictionary for a window": ({"window": {"opens": 8, "hours": 4, "days": ()}}, "window", "an object, and is of a"),
    "nobody": ({"owner": None}, "owner", "valid string, and is nothing"),
}


@pytest.mark.parametrize("case", MISTYPED)
def test_a_field_of_another_type_is_named_and_the_other_policies_are_still_judged(case: str) -> None:
    changes, field, said = MISTYPED[case]
    found = problems(policy(**changes), policy("vault", name="b/c", parent="payments/postgres", owner=""))
    assert [(p.rule, p.policy, p.field) for p in found] == [
        ("field-type", "payments/postgres", field),
        # and not that its parent did not exist
        ("owner-missing", "b/c", "owner"),
    ]
    assert said in f"{found[0].problem}: {found[0].remedy}"


def test_what_is_no_policy_at_all_is_refused_and_hides_no_other() -> None:
    nothing: Policy = (policy(),)  # type: ignore[assignment]
    assert [(p.rule, p.file) for p in problems(nothing, policy(owner=""))] == [
        ("field-type", "policies/__init__.py"),
        ("owner-missing", "policies/payments_postgres.py"),
    ]


def test_a_group_of_two_passes_and_one_that_holds_parent_and_child_is_refused() -> None:
    parent = policy(name="a/parent", path="a/parent", group="databases")
    sibling = policy(name="a/sibling", path="a/sibling", group="databases")
    assert problems(parent, sibling) == []
    (overlapping,) = problems(parent, replace(sibling, parent="a/parent"))
    assert (overlapping.rule, overlapping.policy, overlapping.field) == ("parent-order", "a/sibling", "group")
    assert problems(parent, sibling, policy(parent="a/parent")) == []


def test_a_circle_of_parents_is_refused_at_each_of_its_members_and_at_nobody_else() -> None:
    one, two, three, child = (
        policy(name=f"a/{name}", path=f"a/{name}", parent=f"a/{parent}")
        for name, parent in (("1", "2"), ("2", "3"), ("3", "1"), ("4", "1"))
    )
    assert [p.policy for p in problems(one, two, three, child)] == ["a/1", "a/2", "a/3"]


def test_all_offences_of_all_policies_come_at_once() -> None:
    first = policy(owner="", cadence="weekly", warm_up_s=-1)
    second = policy("vault", name="b/c", path="token", credential="pigeon", overlap_s=-1, runbook="")
    assert [(p.policy, p.rule) for p in problems(first, second)] == [
        ("payments/postgres", "owner-missing"),
        ("payments/postgres", "cadence-form"),
        ("payments/postgres", "warm-up-range"),
        ("b/c", "runbook-missing"),
        ("b/c", "place-form"),
        ("b/c", "credential-unknown"),
        ("b/c", "overlap-form"),
    ]


def test_a_waiver_switches_off_the_rule_that_it_names_and_no_other() -> None:
    bad = policy(runbook="", consumers=(CLIENT,), **HEARD | {"invalidate": ()})
    assert {p.rule for p in problems(bad)} == {"runbook-missing", "client-unheard"}
    waived = replace(bad, waivers=(waiver("client-unheard"),))
    assert {p.rule for p in problems(waived)} == {"runbook-missing"}


def test_a_waiver_that_has_expired_or_names_what_cannot_work_excuses_nothing() -> None:
    expired = policy(group="alone", waivers=(waiver("group-alone", expires="2026-11-21"),))
    assert {p.rule for p in problems(expired)} == {"group-alone", "waiver-expired"}
    impossible = policy(owner="", waivers=(waiver("owner-missing"),))
    assert {p.rule for p in problems(impossible)} == {"owner-missing", "waiver-unknown"}


def test_a_waiver_holds_on_its_last_day_and_not_on_the_next() -> None:
    excused = policy(group="alone", waivers=(waiver("group-alone", expires="2026-12-31"),))
    last = replace(CIRCUMSTANCES, today=CIRCUMSTANCES.today.replace(month=12, day=31))
    assert check_policies([excused], ABILITIES, last) == []
    after = replace(CIRCUMSTANCES, today=CIRCUMSTANCES.today.replace(year=2027, month=1, day=1))
    assert {p.rule for p in check_policies([excused], ABILITIES, after)} == {"group-alone", "waiver-expired"}


def test_a_stack_whose_alias_does_not_lag_takes_a_shorter_overlap() -> None:
    short = policy("gcp", overlap_s=1)
    assert [p.rule for p in problems(short)] == ["overlap-below-floor"]
    assert check_policies([short], ABILITIES, replace(CIRCUMSTANCES, alias_lag_s=0)) == []


@pytest.mark.parametrize(("pause_s", "said"), [(863, 3), (864, 2), (HOUR, 1), (4 * HOUR - 1, 1), (4 * HOUR, 0)])
def test_every_floor_of_a_cadence_is_named_below_it(pause_s: int, said: int) -> None:
    assert len(broken_floors(pause_s)) == said


@pytest.mark.parametrize(
    ("window", "hours"),
    [
        (Window(opens=2, hours=4), 20),
        (Window(opens=0, hours=24), 0),
        (Window(opens=2, hours=4, days=("SUN",)), 7 * 24 - 4),
        (Window(opens=2, hours=4, days=("MON", "TUE", "WED")), 5 * 24 - 4),
        (Window(opens=2, hours=4, days=("WED", "MON")), 5 * 24 - 4),
    ],
)
def test_the_longest_time_that_a_window_stays_closed_leads_over_the_end_of_the_week(window: Window, hours: int) -> None:
    assert longest_closed_s(window) == hours * HOUR


def test_every_store_says_how_its_places_are_written() -> None:
    assert PLACES.keys() == store_capabilities().keys()


def test_every_policy_of_this_tree_lies_in_the_file_that_a_problem_would_name() -> None:
    for one in policies.ALL:
        text = (CHECKOUT / file_of(one.name)).read_text(encoding="utf-8")
        assert f'name="{one.name}"' in text


def test_this_tree_serves_every_credential_type_and_the_flags_are_the_classes_own() -> None:
    tree = abilities_of_this_tree()
    assert {kind for kinds in tree.served.values() for kind in kinds} == set(tree.issuers) == set(issuer_capabilities())
    assert "postgres-alternating" in tree.served["aws"]
    assert tree.stores["gcp"].lagging_pointer
    assert not tree.stores["aws"].lagging_pointer


def test_asking_for_abilities_and_checking_policies_imports_no_sdk() -> None:
    program = (
        "import sys\n"
        "from rotation.capabilities import issuer_capabilities, store_capabilities\n"
        "from policy_rules.check import check_policies\n"
        "print(len(store_capabilities()), len(issuer_capabilities()))\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, sep='\\n')\n"
    )
    done = subprocess.run(  # noqa: S603 - this interpreter and a program of this test
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    counts, *loaded = done.stdout.splitlines()
    assert counts == f"3 {len(issuer_capabilities())}"
    assert not set(loaded) & set(SDKS)
