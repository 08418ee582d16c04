"""Control runs its phases and answers verbs; what it cannot do is said by name, with what to do next."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from function_world import ENVIRONMENT, FunctionWorld, Told
from moto import mock_aws

from rotation.handlers import control
from rotation.catalogue import Catalogue, object_key
from rotation.control.desk import run_id_of
from rotation.errors import Refused
from rotation.handlers.control import ControlFunction
from rotation.phases import RETIRE, ROTATE, UNDO, Where, active
from tests.model.world import NAME, OVERLAP_S, POLICY


@pytest.fixture
def function(world: FunctionWorld, monkeypatch: pytest.MonkeyPatch) -> ControlFunction:
    """Control with the world's desk."""
    made = ControlFunction(ENVIRONMENT)
    monkeypatch.setattr(made, "_desk", lambda: world.desk)
    return made


WHO = {"reason": "test", "requested_by": "somebody"}


def test_control_runs_its_phases_and_logs_the_run_that_an_execution_stands_for(
    function: ControlFunction, world: FunctionWorld
) -> None:
    told = Told()
    claimed = function.handle({"phase": "claim", "secret": NAME, "execution": "arn:x", **WHO}, "q")
    assert claimed["outcome"] == "passed"
    failure = {"phase": "claim", "reason": "claim_broke"}
    event = {"phase": "record_failure", "secret": NAME, "execution": "arn:x", "failure": failure}
    assert function.handle(event, "q") == {"outcome": "passed", "reason": ""}
    run, _ = world.ledger.run(run_id_of("arn:x"))
    assert (run.status, run.failure) == ("failed", failure)
    assert {line["run_id"] for line in told.lines()} == {run_id_of("arn:x")}


def test_the_sweep_says_what_it_started(function: ControlFunction, world: FunctionWorld) -> None:
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S)
    assert function.handle({"phase": "sweep", "execution": "arn:sweep"}, "q") == {
        "outcome": "passed",
        "reason": "",
        "started": [NAME],
    }


def test_every_phase_of_the_tables_has_a_function_that_knows_it() -> None:
    built = [phase for table in (ROTATE, RETIRE, UNDO) for phase in active(table)]
    assert {phase.name for phase in built if phase.where is Where.CONTROL} <= control.PHASES.keys()


def test_verbs_answer_with_a_result(function: ControlFunction, world: FunctionWorld) -> None:
    started = function.handle({"verb": "rotate", "secret": NAME, **WHO}, "q")
    assert started["ok"]
    assert started["result"]["run_id"] == run_id_of(started["result"]["execution"])
    (standing,) = function.handle({"verb": "status", "secrets": []}, "q")["result"]
    assert standing["secret"] == NAME
    (first,) = function.handle({"verb": "history", "secret": NAME}, "q")["result"]
    assert function.handle({"verb": "run", "run_id": first["run_id"]}, "q")["result"]["run_id"] == first["run_id"]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"verb": "paint"}, "unknown_verb"),
        ({"verb": ["rotate"]}, "unknown_verb"),
        ({}, "unknown_verb"),
        ({"verb": "rotate", **WHO}, "bad_event"),
        ({"verb": "rotate", "secret": NAME}, "bad_event"),
        ({"verb": "rotate", "secret": 7, **WHO}, "bad_event"),
        ({"verb": "rotate", "secret": "nobody/knows", **WHO}, "unknown_secret"),
        ({"verb": "status"}, "bad_event"),
        ({"verb": "status", "secrets": NAME}, "bad_event"),
        ({"verb": "history", "secret": "nobody/knows"}, "unknown_secret"),
        ({"verb": "run", "run_id": "f" * 32}, "run_unknown"),
    ],
)
def test_a_verb_that_cannot_be_done_answers_with_reason_message_and_remedy(
    function: ControlFunction, event: dict[str, Any], reason: str
) -> None:
    answer = function.handle(event, "q")
    assert (answer["ok"], answer["reason"]) == (False, reason)
    assert answer["message"]
    assert answer["remedy"]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"phase": "paint"}, "unknown_verb"),
        ({"phase": "prepare"}, "unknown_verb"),
        ({"phase": "claim", "secret": NAME, **WHO}, "`execution`"),
        ({"phase": "claim", "execution": "arn:x", **WHO}, "`secret`"),
        ({"phase": "record"}, "`run_id`"),
        ({"phase": "record_failure", "secret": NAME, "execution": "arn:x"}, "`failure`"),
        ({"phase": "record_failure", "secret": NAME, "execution": "arn:x", "failure": {}}, "`phase`"),
    ],
)
def test_a_phase_that_control_cannot_run_is_raised_by_name(
    function: ControlFunction, event: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refused, match=said):
        function.handle(event, "q")


@pytest.mark.parametrize("event", [None, [], "status"])
def test_control_refuses_an_event_that_is_no_object(function: ControlFunction, event: Any) -> None:
    with pytest.raises(Refused, match="the event has to be an object"):
        function.handle(event, "q")


@pytest.mark.parametrize("missing", ["KEYTURN_LEDGER_TABLE", "KEYTURN_CATALOGUE_BUCKET", "KEYTURN_FUNCTIONS"])
def test_a_function_without_its_environment_names_the_variable(world: FunctionWorld, missing: str) -> None:
    with pytest.raises(Refused, match=f"the variable {missing} is not set"):
        ControlFunction({name: value for name, value in ENVIRONMENT.items() if name != missing})


def test_control_on_aws_reads_the_catalogue_and_the_ledger(world: FunctionWorld) -> None:
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="catalogue")
        boto3.client("s3").put_object(Bucket="catalogue", Key=object_key(NAME), Body=POLICY.document().encode())
        boto3.client("dynamodb").create_table(
            TableName="ledger",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        function = ControlFunction(ENVIRONMENT)
        answer = function.handle({"verb": "status", "secrets": []}, "q")
        assert [(one["secret"], one["policy"]["digest"]) for one in answer["result"]] == [(NAME, POLICY.digest())]
        refused = function.handle({"verb": "rotate", "secret": "nobody/knows", **WHO}, "q")
        assert refused["reason"] == "unknown_secret"
        assert isinstance(function._desk().catalogue, Catalogue)
