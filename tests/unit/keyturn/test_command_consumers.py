"""`keyturn consumers`, and what `status` and `overlap close` say of consumers that acknowledge."""

from __future__ import annotations

from typing import Any

import pytest
from command_bench import Command, PutModel
from control_model import BEGAN, Refusing, Secret

from keyturn.answers import RunInFull
from keyturn.checks import Check
from keyturn.proof import _acknowledged

NAME = "partners/webhook-key"
SHORT = {"name": "sender", "state": "behind", "live": 2, "acknowledged": 1}
AT = BEGAN.isoformat()


def instance(name: str, version: str, **more: Any) -> dict[str, Any]:
    return {
        "instance": name,
        "version": version,
        "actor": "arn:aws:sts::1:assumed-role/sender/x",
        "seen_at": AT,
        "expires_at": AT,
        "live": True,
        "acknowledged_at": "",
        "of_a_newer_function": 1,
        **more,
    }


@pytest.fixture
def found() -> dict[str, Any]:
    instances = [
        instance("pod-1", "f" * 32, acknowledged_at=AT),
        instance("pod-2", "e" * 32),
        instance("pod-3", "e" * 32, live=False),
    ]
    return {"secret": NAME, "version": "f" * 32, "awaited": True, "consumers": [{**SHORT, "instances": instances}]}


def told(model: PutModel, found: dict[str, Any]) -> Any:
    control = model(Secret(NAME, current="v1"))
    control._consumers = lambda secret: {**found, "secret": secret}  # type: ignore[attr-defined]
    return control


def test_each_instance_is_listed_with_its_version_and_its_lease(
    command: Command, model: PutModel, found: dict[str, Any]
) -> None:
    told(model, found)
    lines = command("consumers", NAME).out.splitlines()
    assert "the old credential lives until all have it" in lines[0]
    assert lines[1].strip() == "sender  1 of 2 live instances have acknowledged"
    rows = {line.split()[1]: line for line in lines if "pod-" in line}
    assert ("ffffffff" in rows["pod-1"], "eeeeeeee" in rows["pod-2"], " no " in rows["pod-2"]) == (True, True, True)
    assert ("ran out" in rows["pod-2"], "ran out" in rows["pod-3"]) == (False, True)


def test_the_same_as_a_document(command: Command, model: PutModel, found: dict[str, Any]) -> None:
    told(model, found)
    document = command("consumers", NAME, "--json").document
    (sender,) = document["consumers"]
    assert (document["ok"], document["version"], document["awaited"]) == (True, "f" * 32, True)
    assert [one["instance"] for one in sender["instances"]] == ["pod-1", "pod-2", "pod-3"]
    assert [bool(one["acknowledged_at"]) for one in sender["instances"]] == [True, False, False]


@pytest.mark.parametrize(
    ("state", "words"),
    [("unknown", "unknown: no instance was ever heard of"), ("silent", "none has acknowledged")],
)
def test_a_consumer_that_nobody_heard_is_never_shown_as_done(
    command: Command, model: PutModel, found: dict[str, Any], state: str, words: str
) -> None:
    gone = {"name": "sender", "state": state, "live": 0, "acknowledged": 0, "instances": []}
    told(model, {**found, "consumers": [gone]})
    assert words in command("consumers", NAME).out


def test_a_policy_that_waits_for_nobody_says_so(command: Command, model: PutModel, found: dict[str, Any]) -> None:
    told(model, {**found, "consumers": []})
    assert "waits for no consumer" in command("consumers", NAME).out


def test_status_says_how_many_have_acknowledged(command: Command, model: PutModel) -> None:
    control = model(Secret(NAME, current="v1"))
    standing = control._standing
    control._standing = lambda secret: {**standing(secret), "consumers": [SHORT]}  # type: ignore[method-assign]
    assert f"{NAME}  consumer sender: 1 of 2 live instances have acknowledged" in command("status").out
    assert command("status", "--json").document["secrets"][0]["consumers"] == [SHORT]


def test_closing_past_consumers_is_asked_for_by_its_option_alone(command: Command, model: PutModel) -> None:
    overlap = {"run_id": "r", "retire_at": BEGAN.isoformat(), "old": {"id": "v0"}, "new": {"id": "v1"}}
    control = model(Secret(NAME, current="v1", overlap=overlap))
    asked: list[dict[str, Any]] = []

    def close(**fields: Any) -> dict[str, str]:
        asked.append(fields)
        raise Refusing("not_acknowledged")

    control._overlap_close = close  # type: ignore[method-assign]
    close_it = ("overlap", "close", NAME, "--reason", "gone", "--no-wait")
    refused = command(*close_it)
    assert refused.code != 0
    assert "keyturn consumers" in refused.err
    command(*close_it, "--without-acknowledgements")
    assert [fields.get("unacknowledged", False) for fields in asked] == [False, True]


def told_by_the_run(**facts: str) -> Check:
    step = {"step": "acknowledge", "phase": "acknowledge", "intent_at": AT, "facts": {"outcome": "passed", **facts}}
    known = {"run_id": "r", "secret": NAME, "machine": "retire", "execution": "arn:x", "started_at": AT}
    (check,) = _acknowledged(RunInFull.model_validate({**known, "status": "succeeded", "steps": [step]}))
    return check


def test_verify_says_what_consumers_had_said_and_warns_where_they_were_passed_over() -> None:
    well = told_by_the_run(consumers="sender 2 of 2: acknowledged")
    assert (well.verdict, well.found) == ("ok", "sender 2 of 2: acknowledged")
    passed = told_by_the_run(missing="sender/pod-2", passed_by="arn:on-call", why="it is gone")
    assert (passed.verdict, "sender/pod-2" in passed.found, "arn:on-call: it is gone" in passed.found) == (
        "warn",
        True,
        True,
    )
