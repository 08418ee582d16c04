"""A policy that its store, its credential type or its schedule cannot serve is named, with file and remedy."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import policies
from infra.abilities import abilities as abilities_of_this_tree
from rotation.capabilities import issuer_capabilities, store_capabilities
from rotation.contract import IssuerCapabilities
from rotation.policy import Policy, Target
from rotation.policy_checks import Abilities, check_policies, file_of
from rotation.policy_places import PLACES

CHECKOUT = Path(__file__).resolve().parents[3]
SDKS = ("boto3", "botocore", "hvac", "google", "grpc", "pg8000", "cryptography", "requests")
HOUR = 3_600
ISSUER = IssuerCapabilities(overlaps=True, fenced=True, ends_sessions=True, needs_current=True, rollback_horizon=1)
ABILITIES = Abilities(
    stores=store_capabilities(),
    issuers={"two-slots": ISSUER, "one-slot": replace(ISSUER, overlaps=False), "elsewhere": ISSUER},
    served={store: {"two-slots", "one-slot"} for store in store_capabilities()},
    runbooks={"docs/runbooks/rotation.md"},
)
PATHS = {"aws": "payments/postgres", "vault": "keyturn/partners/token", "gcp": "projects/p/secrets/signing-key"}
AUTHORITIES = {"aws": "authority/postgres", "vault": "keyturn/authority/token", "gcp": "projects/p/secrets/authority"}


def policy(store: str = "aws", **changes: Any) -> Policy:
    authority = changes.pop("authority", AUTHORITIES.get(store, "authority"))
    good = Policy(
        name="payments/postgres",
        store=store,
        path=PATHS.get(store, "anywhere"),
        credential="two-slots",
        target=Target(facts={}, authority=authority),
        cadence="rate(30 days)",
        warm_up_s=60,
        overlap_s=24 * HOUR,
        owner="payments",
        runbook="docs/runbooks/rotation.md",
    )
    return replace(good, **changes)


# good policy, bad policy, field, part of what is said
RULES = {
    "unknown store": (policy(), policy(store="azure"), "store", "names the store azure"),
    "unknown credential type": (policy(), policy(credential="pigeon"), "credential", "kind pigeon"),
    "type that the zip lacks": (policy(), policy(credential="elsewhere"), "credential", "does not ship"),
    "overlap where there is none": (
        policy(credential="one-slot", overlap_s=0),
        policy(credential="one-slot", overlap_s=1),
        "overlap_s",
        "cannot keep two credentials valid",
    ),
    "no overlap where there is one": (policy(overlap_s=1), policy(overlap_s=0), "overlap_s", "is 0, though"),
    "negative overlap": (policy(overlap_s=1), policy(overlap_s=-1), "overlap_s", "negative"),
    "overlap as long as the cadence": (
        policy(cadence="rate(1 day)", overlap_s=24 * HOUR - 61),
        policy(cadence="rate(1 day)", overlap_s=24 * HOUR - 60),
        "overlap_s",
        "not shorter than the cadence",
    ),
    "overlap as long as a cron's shortest pause": (
        policy(cadence="cron(0 8/8 * * ? *)", overlap_s=7 * HOUR),
        policy(cadence="cron(0 2/10 * * ? *)", overlap_s=4 * HOUR),
        "overlap_s",
        "not shorter than the cadence",
    ),
    "negative warm-up": (policy(warm_up_s=0), policy(warm_up_s=-1), "warm_up_s", "negative"),
    "warm-up above a day": (policy(warm_up_s=24 * HOUR), policy(warm_up_s=24 * HOUR + 1), "warm_up_s", "than a day"),
    "blank owner": (policy(), policy(owner=" "), "owner", "blank"),
    "blank runbook": (policy(), policy(runbook=""), "runbook", "blank"),
    "missing runbook": (policy(), policy(runbook="docs/runbooks/none.md"), "runbook", "none.md does not exist"),
    "cadence in words": (policy(), policy(cadence="weekly"), "cadence", "weekly is neither"),
    "rate below four hours": (policy(overlap_s=1), policy(cadence="rate(3 hours)"), "cadence", "every four hours"),
    "cron off the hour": (
        policy(cadence="cron(0 8 1 * ? *)"),
        policy(cadence="cron(5 8 1 * ? *)"),
        "cadence",
        "another minute than 0",
    ),
    "google below its hour": (
        policy("gcp"),
        policy("gcp", cadence="rate(59 minutes)"),
        "cadence",
        "is neither rate(n hours)",
    ),
    "versions faster than the quota": (policy(), policy(cadence="cron(0 * * * ? *)"), "cadence", "every four hours"),
    "authority is the secret": (policy(), policy(authority=PATHS["aws"]), "target.authority", "the secret itself"),
    "no authority": (policy(), policy(authority=""), "target.authority", "is not a secret's name"),
    "name with blanks": (policy(), policy(name="pay ments"), "name", "is not group/name"),
    "name that climbs": (policy(name="a/b"), policy(name="../b"), "name", "is not group/name"),
    "aws characters": (policy(path="a/b_c+d=e.f@g-h"), policy(path="pay*"), "path", "is not a secret's name"),
    "aws arn": (policy(), policy(path="arn:aws:secretsmanager:r:1:secret:x"), "path", "is not a secret's name"),
    "aws length": (policy(path="a" * 512), policy(path="a" * 513), "path", "longer than 512"),
    "google characters": (
        policy("gcp", path="projects/p/secrets/a_B-1"),
        policy("gcp", path="projects/p/secrets/a.b"),
        "path",
        "has not the id of a secret",
    ),
    "google length": (
        policy("gcp", path="projects/p/secrets/" + "a" * 255),
        policy("gcp", path="projects/p/secrets/" + "a" * 256),
        "path",
        "has not the id of a secret",
    ),
    "google version": (policy("gcp"), policy("gcp", path="projects/p/secrets/a/versions/1"), "path", "not a secret of"),
    "vault mount": (policy("vault"), policy("vault", path="token"), "path", "has no mount"),
    "vault empty segment": (policy("vault", path="m/a"), policy("vault", path="m//a"), "path", "is not a plain path"),
    "vault wildcard": (policy("vault", path="m/a"), policy("vault", path="m/a/+"), "path", "is not a plain path"),
    "vault climbing": (policy("vault", path="m/.a"), policy("vault", path="m/../a"), "path", "is not a plain path"),
    "vault api path": (policy("vault", path="m/a/data"), policy("vault", path="m/data/a"), "path", "the API's `data/`"),
    "vault pending": (policy("vault", path="m/a"), policy("vault", path="m/pending/a"), "path", "candidates wait"),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_refuses_its_bad_example_with_field_remedy_and_file_and_lets_the_good_one_through(rule: str) -> None:
    good, bad, field, said = RULES[rule]
    assert check_policies([good], ABILITIES) == []
    (problem,) = [one for one in check_policies([bad], ABILITIES) if one.field == field]
    assert said in problem.problem
    assert problem.remedy
    assert str(problem).startswith(f"{problem.file}: policy {bad.name}, {field}: ")
    assert problem.remedy in str(problem)


@pytest.mark.parametrize("store", PATHS)
def test_a_good_policy_of_every_store_passes(store: str) -> None:
    assert check_policies([policy(store)], ABILITIES) == []


def test_two_policies_of_one_name_or_of_one_place_are_refused_and_both_named() -> None:
    twins = check_policies([policy(), policy(path="other")], ABILITIES)
    assert [(p.field, p.problem) for p in twins] == [("name", "two policies are called payments/postgres")]
    neighbours = check_policies([policy(), policy(name="other/name")], ABILITIES)
    assert [(p.field, p.policy) for p in neighbours] == [("path", "payments/postgres and other/name")]
    assert check_policies([policy(), policy("gcp", name="other/name")], ABILITIES) == []


def test_all_offences_of_all_policies_come_at_once() -> None:
    first = policy(owner="", cadence="weekly", warm_up_s=-1)
    second = policy("vault", name="b/c", path="token", credential="pigeon", overlap_s=-1, runbook="")
    found = [(p.policy, p.field) for p in check_policies([first, second], ABILITIES)]
    assert found == [
        ("payments/postgres", "owner"),
        ("payments/postgres", "cadence"),
        ("payments/postgres", "warm_up_s"),
        ("b/c", "runbook"),
        ("b/c", "path"),
        ("b/c", "credential"),
        ("b/c", "overlap_s"),
    ]


def test_a_wrong_cadence_is_not_blamed_on_the_overlap_too() -> None:
    assert [p.field for p in check_policies([policy(cadence="weekly")], ABILITIES)] == ["cadence"]


def test_every_store_says_how_its_places_are_written() -> None:
    assert PLACES.keys() == store_capabilities().keys()


def test_every_policy_of_this_tree_lies_in_the_file_that_a_problem_would_name() -> None:
    for one in policies.ALL:
        text = (CHECKOUT / file_of(one.name)).read_text(encoding="utf-8")
        assert f'name="{one.name}"' in text


def test_this_tree_serves_every_credential_type_from_some_store_and_the_flags_are_the_classes_own() -> None:
    tree = abilities_of_this_tree()
    assert {kind for kinds in tree.served.values() for kind in kinds} == set(tree.issuers) == set(issuer_capabilities())
    assert tree.served["aws"] == {"postgres-alternating"}
    assert tree.stores["gcp"].lagging_pointer
    assert not tree.stores["aws"].lagging_pointer


def test_asking_for_abilities_and_checking_policies_imports_no_sdk() -> None:
    program = (
        "import sys\n"
        "from rotation.capabilities import issuer_capabilities, store_capabilities\n"
        "from rotation.policy_checks import check_policies\n"
        "print(len(store_capabilities()), len(issuer_capabilities()))\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, sep='\\n')\n"
    )
    done = subprocess.run(  # noqa: S603 - this interpreter and a program of this test
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    counts, *loaded = done.stdout.splitlines()
    assert counts == "3 3"
    assert not set(loaded) & set(SDKS)
