"""Control runs its phases and answers verbs; what it cannot do is said by name, with what to do next."""

from __future__ import annotations

import base64
import json
from typing import Any

import boto3
import pytest
from function_world import ENVIRONMENT, FunctionWorld, Told
from http_events import SESSION, USER, http_event
from incident_events import trigger
from moto import mock_aws

from rotation.handlers import control
from rotation.catalogue import Catalogue, object_key
from rotation.control.desk import run_id_of
from rotation.control.table import VERBS
from rotation.errors import Refused
from rotation.handlers.control import ControlFunction
from rotation.phases import TABLES, UNDO, Where, active
from rotation.routes import ROUTES
from rotation.seal import METADATA, context
from tests.model.world import NAME, OVERLAP_S, POLICY


@pytest.fixture
def function(functions: FunctionWorld, monkeypatch: pytest.MonkeyPatch) -> ControlFunction:
    """Control with the world's desk."""
    made = ControlFunction(ENVIRONMENT)
    monkeypatch.setattr(made, "_desk", lambda: functions.desk)
    return made


WHO = {"reason": "test", "requested_by": "somebody"}


def answer_to(function: ControlFunction, event: dict[str, Any]) -> dict[str, Any]:
    """What control says to a person's request, without the HTTP around it."""
    found: dict[str, Any] = json.loads(function.handle(event, "q")["body"])
    return found


def test_control_runs_its_phases_and_logs_the_run_that_an_execution_stands_for(
    function: ControlFunction, functions: FunctionWorld
) -> None:
    told = Told()
    claimed = function.handle({"phase": "claim", "secret": NAME, "execution": "arn:x", **WHO}, "q")
    assert claimed["outcome"] == "passed"
    failure = {"phase": "claim", "reason": "claim_broke"}
    event = {"phase": "record_failure", "secret": NAME, "execution": "arn:x", "failure": failure, **WHO}
    assert function.handle(event, "q") == {"outcome": "passed", "reason": ""}
    run, _ = functions.ledger.run(run_id_of("arn:x"))
    assert (run.status, run.failure) == ("failed", failure)
    assert {line["run_id"] for line in told.lines()} == {run_id_of("arn:x")}


def test_the_sweep_says_what_it_started(function: ControlFunction, functions: FunctionWorld) -> None:
    functions.rotate("arn:2")
    functions.clock.advance(OVERLAP_S)
    assert function.handle({"phase": "sweep", "execution": "arn:sweep"}, "q") == {
        "outcome": "passed",
        "reason": "",
        "started": [NAME],
    }


def test_every_phase_of_the_tables_has_a_function_that_knows_it() -> None:
    built = [phase for table in (*TABLES.values(), UNDO) for phase in active(table)]
    assert {phase.name for phase in built if phase.where is Where.CONTROL} <= control.PHASES.keys()


def test_verbs_answer_with_a_result(function: ControlFunction, functions: FunctionWorld) -> None:
    started = answer_to(function, http_event("rotate", secret=NAME, reason="test"))
    assert started["ok"]
    assert started["result"]["run_id"] == run_id_of(started["result"]["execution"])
    (standing,) = answer_to(function, http_event("status", secrets=[]))["result"]
    assert standing["secret"] == NAME
    (first,) = answer_to(function, http_event("history", secret=NAME))["result"]
    found = answer_to(function, http_event("run", run_id=first["run_id"]))["result"]
    assert found["run_id"] == first["run_id"]


@pytest.mark.parametrize("actor", [USER, SESSION])
def test_a_run_is_asked_for_by_the_caller_who_iam_verified_and_a_log_line_says_so(
    function: ControlFunction, functions: FunctionWorld, actor: str
) -> None:
    told = Told()
    event = http_event("rotate", caller=actor, secret=NAME, reason="test")
    forged = {"secret": NAME, "reason": "test", "requested_by": "somebody", "actor": "somebody"}
    assert answer_to(function, {**event, "body": json.dumps(forged)})["ok"]
    ((_, _, started),) = functions.machines.started
    assert started["requested_by"] == actor
    assert "somebody" not in str(started)
    assert [line["actor"] for line in told.lines() if "actor" in line] == [actor]


@pytest.mark.parametrize(
    "event",
    [
        {"verb": "rotate", "secret": NAME, **WHO},
        {"verb": "status", "secrets": []},
        {"verb": ["rotate"]},
        {},
        {**http_event("rotate", secret=NAME, reason="test"), "requestContext": {"authorizer": {}}},
    ],
    ids=["a verb", "a read", "no verb", "nothing", "a route without a caller"],
)
def test_what_does_not_come_through_the_endpoint_is_refused(
    function: ControlFunction, functions: FunctionWorld, event: dict[str, Any]
) -> None:
    answer = function.handle(event, "q")
    assert answer["statusCode"] == 403
    assert json.loads(answer["body"])["reason"] == "unauthenticated"
    assert not functions.machines.started


def test_the_table_of_verbs_is_the_list_of_routes() -> None:
    assert {route.verb for route in ROUTES.values()} == VERBS.keys()


WHY = {"reason": "test"}


@pytest.mark.parametrize(
    ("event", "status", "reason"),
    [
        ({**http_event("rotate", secret=NAME, **WHY), "routeKey": "POST /verbs/paint"}, 400, "unknown_verb"),
        (http_event("rotate", **WHY), 400, "bad_event"),
        (http_event("rotate", secret=NAME), 400, "bad_event"),
        (http_event("rotate", secret=7, **WHY), 400, "bad_event"),
        (http_event("rotate", secret="nobody/knows", **WHY), 404, "unknown_secret"),
        (http_event("status"), 400, "bad_event"),
        (http_event("status", secrets=NAME), 400, "bad_event"),
        (http_event("history", secret="nobody/knows"), 404, "unknown_secret"),
        (http_event("run", run_id="f" * 32), 404, "run_unknown"),
        ({**http_event("status"), "body": "[]"}, 400, "bad_request"),
    ],
)
def test_a_verb_that_cannot_be_done_answers_with_reason_message_and_remedy(
    function: ControlFunction, event: dict[str, Any], status: int, reason: str
) -> None:
    answer = function.handle(event, "q")
    said = json.loads(answer["body"])
    assert (answer["statusCode"], said["ok"], said["reason"]) == (status, False, reason)
    assert said["message"]
    assert said["remedy"]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"phase": "paint"}, "unknown_verb"),
        ({"phase": "prepare"}, "unknown_verb"),
        ({"phase": "claim", "secret": NAME, **WHO}, "`execution`"),
        ({"phase": "claim", "execution": "arn:x", **WHO}, "`secret`"),
        ({"phase": "record"}, "`run_id`"),
        ({"phase": "record_failure", "secret": NAME, "execution": "arn:x"}, "`failure`"),
        ({"phase": "record_failure", "secret": NAME, "execution": "arn:x", "failure": {}, **WHO}, "`phase`"),
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


@pytest.mark.parametrize("missing", ["LEDGER_TABLE", "CATALOGUE_BUCKET", "CATALOGUE_KEY", "FUNCTIONS"])
def test_a_function_without_its_environment_names_the_variable(functions: FunctionWorld, missing: str) -> None:
    with pytest.raises(Refused, match=f"the variable KEYTURN_{missing} is not set"):
        ControlFunction({name: value for name, value in ENVIRONMENT.items() if name != f"KEYTURN_{missing}"})


ROW, DUE = ("pk", "sk"), ("due_shard", "due_at")


def keys(hashed: str, ranged: str) -> Any:
    return [{"AttributeName": hashed, "KeyType": "HASH"}, {"AttributeName": ranged, "KeyType": "RANGE"}]


def _put_sealed(key: str) -> None:
    """The policy in the catalogue's bucket, as the program leaves it there."""
    bound = context("local", NAME)
    sealed = boto3.client("kms").encrypt(KeyId=key, Plaintext=POLICY.digest().encode(), EncryptionContext=bound)
    seal = base64.b64encode(sealed["CiphertextBlob"]).decode()
    body = POLICY.document().encode()
    boto3.client("s3").create_bucket(Bucket="catalogue")
    boto3.client("s3").put_object(Bucket="catalogue", Key=object_key(NAME), Body=body, Metadata={METADATA: seal})


def test_control_on_aws_reads_the_catalogue_and_the_ledger(functions: FunctionWorld) -> None:
    with mock_aws():
        key = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
        _put_sealed(key)
        boto3.client("dynamodb").create_table(
            TableName="ledger",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in (*ROW, *DUE)],
            KeySchema=keys(*ROW),
            GlobalSecondaryIndexes=[
                {"IndexName": "due", "KeySchema": keys(*DUE), "Projection": {"ProjectionType": "ALL"}}
            ],
        )
        function = ControlFunction(ENVIRONMENT | {"KEYTURN_CATALOGUE_KEY": key})
        answer = answer_to(function, http_event("status", secrets=[]))
        assert [(one["secret"], one["policy"]["digest"]) for one in answer["result"]] == [(NAME, POLICY.digest())]
        refused = answer_to(function, http_event("rotate", secret="nobody/knows", reason="test"))
        assert refused["reason"] == "unknown_secret"
        assert isinstance(function._desk().catalogue, Catalogue)


def test_an_event_of_the_bus_is_followed_and_neither_a_phase_nor_a_verb_can_be_put_into_one(
    function: ControlFunction, functions: FunctionWorld
) -> None:
    told = Told()
    event = {**trigger("leak"), "detail": {**trigger("leak")["detail"], "phase": "claim", "verb": "rotate"}}
    assert function.handle(event, "q")["reason"] == "bad_event"
    answer = function.handle(trigger("leak"), "q")
    assert (answer["outcome"], answer["secrets"]) == ("followed", {NAME: "not_a_trigger"})
    assert functions.machines.started == []
    (_, line) = [line for line in told.lines() if line["message"] == "event answered"]
    assert (line["id"], line["policies"]) == ("finding-1", [f"{NAME} not_a_trigger"])
