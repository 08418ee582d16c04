"""An event reaches the phase or the function that it names; anything else is refused by name, never a KeyError."""

from __future__ import annotations

import json
from typing import Any

import pytest
from function_world import ENVIRONMENT, FunctionWorld, LambdaContext, Told

from rotation.handlers import aws, control, gcp, vault
from rotation.control.desk import run_id_of
from rotation.errors import NotFound, Refused, Throttled, Unavailable
from rotation.ledger import budget
from rotation.redaction import REDACTED
from tests.model.world import NAME

NATIVE_EVENT = {"Step": "createSecret", "SecretId": NAME, "ClientRequestToken": "t"}


def test_a_store_function_runs_the_phase_of_the_event_and_answers_data(functions: FunctionWorld) -> None:
    told = Told()
    assert functions.function.handle(functions.event("prepare"), "request-1") == {"outcome": "passed", "reason": ""}
    assert set(functions.ledger.run(run_id_of("arn:x"))[1]) == {"stage", "apply", "test"}
    begun, ended = told.lines()
    assert [begun["message"], ended["message"]] == ["phase begins", "phase ended"]
    assert {(line["run_id"], line["request_id"], line["phase"]) for line in (begun, ended)} == {
        (run_id_of("arn:x"), "request-1", "prepare")
    }
    assert begun["policy"] == NAME
    assert ended["calls"] == {"read": 1, "write": 1}


def test_a_key_that_the_environment_names_as_personal_is_hidden_in_the_functions_lines(
    logging_put_back: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENVIRONMENT, "PII_KEYS", "iban, policy")
    functions = FunctionWorld(monkeypatch)
    told = Told()
    assert functions.function.handle(functions.event("prepare"), "request-1")["outcome"] == "passed"
    begun = told.lines()[0]
    assert (begun["phase"], begun["policy"]) == ("prepare", REDACTED)
    assert NAME not in json.dumps(told.lines())


def test_a_warm_function_logs_the_ids_of_each_invocation(functions: FunctionWorld) -> None:
    told = Told()
    for request_id in ("request-1", "request-2"):
        functions.function.handle(functions.event("prepare"), request_id)
    assert {line["request_id"] for line in told.lines()} == {"request-1", "request-2"}


def test_a_phase_waits_for_the_stores_write_budget_before_its_first_effect(
    functions: FunctionWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = budget.Limit(pool="memory", rate=0.001, burst=2, stripes=1)
    monkeypatch.setitem(budget._OF_STORE, "memory", bucket)
    monkeypatch.setitem(budget.WRITES, "memory", {"prepare": 2, "promote": 1})
    assert functions.function.handle(functions.event("prepare"), "q")["outcome"] == "passed"
    assert functions.ledger.budgets.left(bucket) == 0
    effects = list(functions.target.effects)
    with pytest.raises(Throttled) as throttled:
        functions.function.handle(functions.event("promote"), "q")
    assert throttled.value.reason == "write_budget"
    assert "promote" not in functions.ledger.run(run_id_of("arn:x"))[1]
    assert functions.target.effects == effects
    assert functions.function.handle(functions.event("roll_back"), "q")["outcome"] == "passed", (
        "undoing waits for nobody"
    )


@pytest.mark.parametrize("epoch", [1, 3, 0, -2])
def test_another_epoch_than_the_claims_is_a_failed_outcome_without_an_effect(
    functions: FunctionWorld, epoch: int
) -> None:
    effects = list(functions.target.effects)
    answer = functions.function.handle(functions.event("prepare", epoch=epoch), "q")
    assert answer == {"outcome": "failed", "reason": "epoch_unknown"}
    assert functions.target.effects == effects
    assert functions.ledger.run(run_id_of("arn:x"))[1] == {}


def test_an_epoch_that_the_machine_made_a_float_is_the_same(functions: FunctionWorld) -> None:
    assert functions.function.handle(functions.event("prepare", epoch=2.0), "q")["outcome"] == "passed"


@pytest.mark.parametrize(
    ("changes", "reason", "said"),
    [
        ({"phase": "paint"}, "unknown_phase", "no phase"),
        ({"phase": "expose"}, "unknown_phase", "no phase"),
        ({"phase": "claim"}, "wrong_function", "claim is not one of a store"),
        ({"phase": "warm_up"}, "wrong_function", "warm_up is not one of a store"),
        ({"phase": None}, "bad_event", "`phase`"),
        ({"phase": ["prepare"]}, "bad_event", "`phase`"),
        ({"run_id": None}, "bad_event", "`run_id`"),
        ({"run_id": ""}, "bad_event", "`run_id`"),
        ({"epoch": None}, "bad_event", "`epoch`"),
        ({"epoch": "2"}, "bad_event", "`epoch`"),
        ({"epoch": True}, "bad_event", "`epoch`"),
        ({"epoch": 2.5}, "bad_event", "`epoch`"),
        ({"epoch": float("nan")}, "bad_event", "`epoch`"),
    ],
)
def test_an_event_that_cannot_be_right_is_refused_by_name(
    functions: FunctionWorld, changes: dict[str, Any], reason: str, said: str
) -> None:
    with pytest.raises(Refused, match=said) as caught:
        functions.function.handle(functions.event("prepare", **changes), "q")
    assert caught.value.reason == reason
    assert caught.value.remedy


@pytest.mark.parametrize("event", [None, [], "prepare", 1])
def test_an_event_that_is_no_object_is_refused(functions: FunctionWorld, event: Any) -> None:
    with pytest.raises(Refused, match="the event has to be an object"):
        functions.function.handle(event, "q")


def test_a_run_that_the_ledger_does_not_know_is_not_found(functions: FunctionWorld) -> None:
    with pytest.raises(NotFound, match="run_unknown"):
        functions.function.handle(functions.event("prepare", run_id="f" * 32), "q")


def test_what_is_retried_is_raised_and_said(functions: FunctionWorld) -> None:
    told = Told()
    functions.target.broken["apply"] = Unavailable("target_down", "no answer")
    with pytest.raises(Unavailable):
        functions.function.handle(functions.event("prepare"), "q")
    assert [line["message"] for line in told.lines()] == ["phase begins", "phase is retried"]


class Recording:
    """A function that answers with what it was given."""

    def __init__(self, name: str) -> None:
        self.name = name

    def handle(self, event: Any, request_id: str) -> tuple[str, Any, str]:
        return self.name, event, request_id


def test_the_aws_function_tells_secrets_managers_events_from_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "_function", lambda: Recording("phases"))
    monkeypatch.setattr(aws, "_native", lambda: Recording("native"))
    assert aws.handle(NATIVE_EVENT, LambdaContext()) == ("native", NATIVE_EVENT, "request-1")
    for event in ({"phase": "prepare"}, {"Step": "createSecret"}, {}, None):
        assert aws.handle(event, LambdaContext())[0] == "phases"  # type: ignore[arg-type]


@pytest.mark.parametrize("module", [vault, gcp, control])
def test_the_other_functions_have_one_way_in(monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
    monkeypatch.setattr(module, "_function", lambda: Recording("only"))
    assert module.handle({"a": 1}, LambdaContext()) == ("only", {"a": 1}, "request-1")
