"""An event says what happened, where and who did it; what is of no known shape is refused by name, never guessed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from incident_events import ACCOUNT, ALICE, AT, NOW, OURS, ROLE, label_moved, read_call, trigger

from rotation.contract import SecretRef
from rotation.errors import Refused
from rotation.incidents import trigger as form
from rotation.incidents.incident import Incident, Kind
from rotation.incidents.reading import LARGEST, read

SCHEMA = json.loads((Path(__file__).parents[3] / "schemas" / "keyturn.trigger.1.json").read_text(encoding="utf-8"))
ARN = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:group/secret"


def said(event: dict[str, Any]) -> Incident:
    return read(event, OURS, NOW)


def refusal(event: dict[str, Any]) -> str:
    with pytest.raises(Refused) as refused:
        said(event)
    assert refused.value.remedy
    return refused.value.reason


def test_the_published_schema_and_the_code_agree() -> None:
    assert SCHEMA["additionalProperties"] is False
    assert SCHEMA["required"] == list(form.REQUIRED)
    assert set(SCHEMA["properties"]) == {*form.REQUIRED, *form.OPTIONAL}
    properties = SCHEMA["properties"]
    assert properties["schema"]["const"] == form.SCHEMA
    assert properties["kind"]["enum"] == [kind.value for kind in Kind]
    assert properties["store"]["enum"] == list(form.STORES)
    assert properties["secrets"]["maxItems"] == form.MOST_SECRETS
    whole = trigger(store="vault", path="m/p", principal="p", reference="r", version="v")["detail"]
    for name, rule in properties.items():
        if "pattern" in rule:
            assert re.search(rule["pattern"], whole[name]), name
            assert not re.search(rule["pattern"], "two words"), name


def test_a_reported_leak_names_policies_and_who_found_it() -> None:
    found = said(trigger(reference="https://github.com/example/app/security/secret-scanning/7"))
    assert (found.kind, found.secrets, found.actor) == (Kind.LEAK, ("group/secret",), "scanner")
    assert found.at == "2026-01-01T00:00:00.000000Z"
    assert found.says == (
        "leak by scanner at 2026-01-01T00:00:00.000000Z (keyturn.triggers finding-1,"
        " see https://github.com/example/app/security/secret-scanning/7)"
    )


def test_a_report_may_name_a_place_instead_and_an_off_boarding_neither() -> None:
    found = said(trigger("human-read", secrets=None, store="vault", path="mount/app/token"))
    assert found.places == (SecretRef(store="vault", path="mount/app/token"),)
    everything = said(trigger("offboarding", secrets=None))
    assert (everything.secrets, everything.places) == ((), ())


@pytest.mark.parametrize("secret", ["group/secret", ARN, f"{ARN}-AbC123"], ids=["name", "partial ARN", "ARN"])
def test_a_read_in_cloudtrail_names_the_role_behind_the_session_and_the_secret_however_it_was_called(
    secret: str,
) -> None:
    found = said(read_call(secret=secret))
    assert (found.kind, found.id, found.harmless) == (Kind.HUMAN_READ, "e-1", "")
    assert (found.actor, found.principal) == (ALICE["arn"], f"{ROLE}/administrators")
    assert SecretRef(store="aws", path="group/secret") in found.places


def test_a_secret_whose_own_name_ends_like_an_arn_is_found_by_an_arn_without_its_ending() -> None:
    found = said(read_call(secret=f"{ARN}-AbC123"))
    assert [place.path for place in found.places] == ["group/secret", "group/secret-AbC123"]


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ({**ALICE, "sessionContext": {"sessionIssuer": {"arn": f"{ROLE}/keyturn-local-aws"}}}, "own_read"),
        ({"type": "AWSService", "invokedBy": "secretsmanager.amazonaws.com"}, "aws_service"),
        ({"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root"}, ""),
        ({"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/alice"}, ""),
        (
            {**ALICE, "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::999999999999:role/keyturn-local-aws"}}},
            "",
        ),
        ({**ALICE, "arn": f"{ROLE}/keyturn-local-aws"}, ""),
    ],
    ids=["our function", "a service", "root", "a user", "another account's namesake", "a session that is called so"],
)
def test_a_read_by_our_own_function_or_a_service_is_not_a_persons(who: dict[str, Any], why: str) -> None:
    assert said(read_call(who)).harmless == why


def test_a_read_that_was_refused_showed_nothing() -> None:
    assert said(read_call(errorCode="AccessDenied")).harmless == "nothing_read"


@pytest.mark.parametrize(("kind", "why"), [("human-read", "own_read"), ("outside-change", "own_move"), ("leak", "")])
def test_what_our_own_login_at_vault_does_is_not_a_persons_but_a_leak_is_one_whoever_is_named(
    kind: str, why: str
) -> None:
    assert said(trigger(kind, actor="jwt-keyturn-local-vault")).harmless == why


def test_of_moved_labels_the_current_one_counts() -> None:
    moved = said(label_moved("v2"))
    assert (moved.kind, moved.version, moved.harmless) == (Kind.OUTSIDE_CHANGE, "v2", "")
    assert said(label_moved("v2", label="blue")).harmless == "another_label"


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "another account": ({**trigger(), "account": "999999999999"}, "foreign_account"),
    "no account": ({**trigger(), "account": None}, "foreign_account"),
    "another source": ({**trigger(), "source": "somebody"}, "unknown_event"),
    "aws' shape from another source": ({**read_call(), "source": "keyturn.triggers"}, "unknown_event"),
    "no detail": ({**trigger(), "detail": "text"}, "bad_event"),
    "too large": (trigger(reference="x" * LARGEST), "event_too_large"),
    "a field too long": (trigger(actor="x" * 1_025), "bad_event"),
    "a field too many": (trigger(value="hunter2"), "bad_event"),
    "another version of the form": (trigger(schema="keyturn.trigger/2"), "bad_event"),
    "no id": (trigger(id=None), "bad_event"),
    "a kind that is none": (trigger("flood"), "bad_event"),
    "a kind that is a list": ({**trigger(), "detail": {**trigger()["detail"], "kind": ["leak"]}}, "bad_event"),
    "no secret": (trigger(secrets=None), "bad_event"),
    "an empty list": (trigger("offboarding", secrets=[]), "bad_event"),
    "too many secrets": (trigger(secrets=[f"s/{i}" for i in range(101)]), "bad_event"),
    "a secret that is no text": (trigger(secrets=[{"name": "x"}]), "bad_event"),
    "secrets and a place": (trigger(store="vault", path="m/p"), "bad_event"),
    "a store without a path": (trigger(secrets=None, store="vault"), "bad_event"),
    "a store that is none": (trigger(secrets=None, store="disk", path="p"), "bad_event"),
    "white space in a name": (trigger(secrets=["a b"]), "bad_event"),
    "a line break": (trigger(actor="alice\nlevel=error"), "bad_event"),
    "a time without a zone": (trigger(occurred_at="2026-01-01T00:00:00"), "bad_event"),
    "no time": (trigger(occurred_at="soon"), "bad_event"),
    "the first of times": (trigger(occurred_at="0001-01-01T00:00:00+14:00"), "bad_event"),
    "tomorrow": (trigger(occurred_at="2026-01-02T00:00:00Z"), "event_from_the_future"),
    "a read without a reader": (read_call({}), "bad_event"),
    "a session that is a text": (read_call({**ALICE, "sessionContext": "x"}), "bad_event"),
    "a read of nothing": (read_call(requestParameters=None), "bad_event"),
    "another call": (read_call(eventName="DeleteSecret"), "bad_event"),
    "an ARN of something else": (read_call(secret="arn:aws:s3:::bucket"), "bad_event"),
    "a label without a version": (label_moved(""), "bad_event"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_not_understood_is_refused_with_a_reason(case: str) -> None:
    event, reason = BAD[case]
    assert refusal(event) == reason


def test_a_refusal_quotes_nothing_of_the_event() -> None:
    for event, _ in BAD.values():
        with pytest.raises(Refused) as refused:
            said(event)
        assert not re.search(
            "hunter2|somebody|flood|999999999999|level=error", str(refused.value) + refused.value.remedy
        )


def test_what_looks_like_a_credential_is_not_kept() -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
    found = said(trigger(reference=f"https://example.com/?token={token}", actor=token))
    assert token not in found.says
    assert AT[:10] in found.says
