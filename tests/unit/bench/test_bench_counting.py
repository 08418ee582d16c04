"""Counting: units of DynamoDB, requests on the wire, transitions of an execution, what an invocation reported."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest
from bench_samples import invocation, run

from artefacts.table import FUNCTIONS
from bench.capacity import Capacity
from bench.executions import executed
from bench.functions import parsed
from bench.kinds import Kind
from bench.operations import Operation, kinds_of, operation_of
from bench.tally import check_books, of_run, of_sweep
from bench.wire import Books
from rotation.errors import Refused

MARKER = "marker-value-of-a-secret"


def _put(size: int, **more: Any) -> dict[str, Any]:
    # names and keys are 16 bytes
    row = {"pk": {"S": "secret"}, "sk": {"S": "head"}, "v": {"S": "x" * (size - 15)}, **more}
    return {"Put": {"TableName": "ledger", "Item": row}}


def _check() -> dict[str, Any]:
    return {"ConditionCheck": {"TableName": "ledger", "Key": {"pk": {"S": "secret"}, "sk": {"S": "head"}}}}


def _written(capacity: Capacity, *items: dict[str, Any]) -> float:
    units = capacity.units("TransactWriteItems", json.dumps({"TransactItems": list(items)}).encode(), b"{}")
    return units[Kind.WRITE_UNIT.value]


def test_a_row_in_a_transaction_is_two_write_units_for_each_begun_kilobyte() -> None:
    capacity = Capacity()
    assert _written(capacity, _put(1_024)) == 2
    assert _written(capacity, _put(1_025)) == 4
    assert _written(capacity, _put(100)) == 4, "the larger of the old and the new form counts"
    assert _written(capacity, _put(100), _put(100)) == 4


def test_a_condition_check_is_as_dear_as_a_write_of_its_row() -> None:
    capacity = Capacity()
    assert _written(capacity, _check()) == 2
    _written(capacity, _put(2_000))
    assert _written(capacity, _check()) == 4


def test_an_index_entry_that_comes_moves_or_goes_is_written_too() -> None:
    due = {"due_shard": {"S": "1"}, "due_at": {"S": "a"}}
    later = {**due, "due_at": {"S": "b"}}
    capacity = Capacity()
    assert [_written(capacity, _put(100, **entry)) for entry in (due, due, later, {})] == [3, 3, 4, 3]


def test_reads_are_units_of_four_kilobytes_and_half_of_it_where_they_may_lag() -> None:
    answer = json.dumps({"Items": [{"v": {"S": "x" * 4_095}}, {"v": {"S": "x"}}]}).encode()
    consistent, eventual = json.dumps({"ConsistentRead": True}).encode(), b"{}"
    assert Capacity().units("Query", consistent, answer) == {"dynamodb.read_unit": 2}
    assert Capacity().units("Query", eventual, answer) == {"dynamodb.read_unit": 1}
    assert Capacity().units("GetItem", consistent, b"{}") == {"dynamodb.read_unit": 1}


def test_a_question_about_the_table_is_no_unit() -> None:
    assert Capacity().units("DescribeTable", b"{}", b"{}") == {"dynamodb.call": 1}


def test_an_operation_of_dynamodb_without_known_units_is_an_error() -> None:
    with pytest.raises(Refused, match="BatchWriteItem"):
        Capacity().units("BatchWriteItem", b"{}", b"{}")


def test_requests_are_told_apart_as_the_services_spell_them() -> None:
    secrets = {"x-amz-target": "secretsmanager.PutSecretValue"}
    assert str(operation_of("POST", "/", secrets)) == "secretsmanager.PutSecretValue"
    assert str(operation_of("GET", "/2015-03-31/functions/f/aliases/live", {})) == "lambda.GetAlias"
    assert str(operation_of("POST", "/2015-03-31/functions/f%3A7/invocations", {})) == "lambda.Invoke"
    assert str(operation_of("GET", "/bucket/policies/a.json", {})) == "s3.GetObject"
    assert str(operation_of("GET", "/bucket?list-type=2&prefix=", {})) == "s3.ListObjectsV2"


def _asked(service: str) -> tuple[str, str, dict[str, str]]:
    """Method, path and headers as the services' own models spell them; two are told by their paths."""
    if service == "lambda":
        return "GET", "/2015-03-31/functions/f/aliases/live", {}
    if service == "s3":
        return "GET", "/bucket/index.txt", {}
    prefix = botocore.session.get_session().get_service_model(service).metadata.get("targetPrefix")
    scope = f"AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host"
    return "POST", "/", {"x-amz-target": f"{prefix}.Any"} if prefix else {"authorization": scope}


# DynamoDB is counted in units: Capacity knows its operations
_SHIPPED = sorted(frozenset[str]().union(*(function.all_services for function in FUNCTIONS)) - {"dynamodb"})


@pytest.mark.parametrize("service", _SHIPPED)
def test_whatever_a_function_may_ask_of_aws_has_a_price(service: str) -> None:
    if service == "kms":
        assert kinds_of(Operation("kms", "Decrypt")) == (Kind.KMS_REQUEST,)
        return
    assert kinds_of(operation_of(*_asked(service)))


def test_a_value_asked_of_secrets_manager_asks_kms_for_the_stacks_key() -> None:
    assert kinds_of(Operation("secretsmanager", "GetSecretValue")) == (Kind.SECRETS_CALL, Kind.KMS_IMPLIED)
    assert kinds_of(Operation("secretsmanager", "DescribeSecret")) == (Kind.SECRETS_CALL,)


def test_a_sweep_counts_what_the_functions_that_it_asks_for_a_look_ask_of_others_in_turn() -> None:
    asked = [invocation(name, calls={"read": 2, "login": 2}) for name in ("vault", "gcp")]
    kinds = of_sweep(run().execution, asked, {"GetSecret": 2})
    assert (kinds["vault.request"], kinds["google.management"], kinds["lambda.request"]) == (3.0, 2.0, 2.0)


def test_a_function_that_is_invoked_is_paid_for_by_its_own_log_and_another_call_of_lambda_by_nobody() -> None:
    assert kinds_of(Operation("lambda", "Invoke")) == ()
    with pytest.raises(Refused, match="POST function"):
        kinds_of(operation_of("POST", "/2015-03-31/functions/f/versions", {}))


def test_a_request_that_nobody_knows_stops_the_count() -> None:
    books = Books()
    books.enter("control", ("POST", "/", {"x-amz-target": "SimpleWorkflowService.StartWorkflowExecution"}), b"", b"")
    with pytest.raises(Refused) as refused:
        books.take()
    assert refused.value.reason == "unknown_operation"


def test_the_books_keep_who_asked_what_and_nothing_of_a_body() -> None:
    books = Books()
    target = {"x-amz-target": "secretsmanager.PutSecretValue"}
    books.enter("aws", ("POST", "/", target), json.dumps({"SecretString": MARKER}).encode(), MARKER.encode())
    written = {"x-amz-target": "DynamoDB_20120810.TransactWriteItems"}
    row = {"TransactItems": [{"Put": {"Item": {"pk": {"S": "a"}, "sk": {"S": "b"}, "v": {"S": MARKER}}}}]}
    books.enter("aws", ("POST", "/", written), json.dumps(row).encode(), b"{}")
    assert MARKER not in repr((vars(books), vars(books._capacity)))
    operations, kinds = books.take()
    assert operations == {"aws": {"secretsmanager.PutSecretValue": 1, "dynamodb.TransactWriteItems": 1}}
    # the value, and the table's own key once for the function
    assert kinds == {"secretsmanager.call": 1, "kms.implied_request": 2, "dynamodb.write_unit": 2}
    assert books.take()[0] == {}


def _history(*events: tuple[str, str, float]) -> list[dict[str, Any]]:
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    made = []
    for number, (kind, name, after) in enumerate(events, 1):
        entered = {"stateEnteredEventDetails": {"name": name}} if kind.endswith("StateEntered") else {}
        exited = {"stateExitedEventDetails": {"name": name}} if kind.endswith("StateExited") else {}
        made.append({"id": number, "type": kind, "timestamp": begun + timedelta(seconds=after), **entered, **exited})
    return made


def test_an_execution_counts_states_entered_and_repeated_attempts_and_keeps_waits_apart() -> None:
    events = _history(
        ("ExecutionStarted", "", 0.0),
        ("TaskStateEntered", "claim", 0.0),
        ("TaskScheduled", "", 0.0),
        ("TaskFailed", "", 0.1),
        ("TaskScheduled", "", 0.2),
        ("TaskStateExited", "claim", 0.3),
        ("WaitStateEntered", "warm_up", 0.3),
        ("WaitStateExited", "warm_up", 1.3),
        ("SucceedStateEntered", "ended", 1.4),
        ("ExecutionSucceeded", "", 1.5),
    )
    found = executed("arn:aws:states:us-east-1:0:execution:m:n", events)
    assert found.transitions == 4
    assert (found.wall_s, found.waited_s, found.tasks) == (1.5, 1.0, {"claim": 0.3})
    assert found.busy_s == pytest.approx(0.5)
    assert found.between_s == pytest.approx(0.2)
    assert found.log_bytes > 0


def test_an_invocation_is_read_from_what_it_logged() -> None:
    lines = [
        "START RequestId: r Version: 3",
        json.dumps({"message": "phase ended", "phase": "prepare", "calls": {"read": 2}}),
        "END RequestId: r",
        "REPORT RequestId: r\tDuration: 99 ms\tBilled Duration: 100 ms\tMemory Size: 512 MB",
    ]
    found = parsed("aws", 512, lines)
    assert (found.what, found.billed_ms, dict(found.calls)) == ("prepare", 100, {"read": 2})
    assert found.gb_seconds == pytest.approx(0.05)
    assert found.log_bytes == sum(len(line) for line in lines) + 4 * 26
    assert parsed("control", 512, lines[-1:]).what == "verb"
    with pytest.raises(ValueError, match="REPORT"):
        parsed("aws", 512, lines[:2])


def test_a_call_that_only_one_of_two_books_knows_is_an_error() -> None:
    life = run(calls={"read": 1, "write": 1, "ledger": 2, "authority": 1})
    wire = {"secretsmanager.GetSecretValue": 3, "dynamodb.GetItem": 2}
    check_books(life, {"aws": wire}, {})
    with pytest.raises(Refused) as refused:
        check_books(life, {"aws": {**wire, "secretsmanager.GetSecretValue": 4}}, {})
    assert refused.value.reason == "books_disagree"
    with pytest.raises(Refused):
        check_books(life, {"aws": {**wire, "dynamodb.GetItem": 1}}, {})


def test_google_bills_accesses_and_nothing_else() -> None:
    kinds = of_run(run(), {"AccessSecretVersion": 3, "AddSecretVersion": 1}, over_http=True)
    assert (kinds["google.access"], kinds["google.management"], kinds["apigateway.request"]) == (3, 1, 1)
    assert (kinds["states.transition"], kinds["lambda.request"], kinds["xray.trace"]) == (12, 2, 1)
