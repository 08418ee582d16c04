"""AWS's answers come out as what may be done about them; clients have timeouts and leave retries to one place."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from rotation import aws_client
from rotation.calls import CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from rotation.errors import Conflict, Denied, KeyturnError, NotFound, Refused, Throttled, Unavailable

MARKER = "Mark3r-hunter2"


def answer(code: str, status: int = 400, headers: dict[str, str] | None = None, **more: Any) -> KeyturnError:
    response: Any = {
        "Error": {"Code": code, "Message": f"said with {MARKER}"},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers or {}},
        **more,
    }
    ours = aws_client.translate(ClientError(response, "PutSecretValue"))
    assert ours is not None
    return ours


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ThrottlingException", 400, Throttled),
        ("TooManyRequestsException", 429, Throttled),
        ("SlowDown", 503, Throttled),
        ("RequestLimitExceeded", 400, Throttled),
        ("TransactionInProgressException", 400, Throttled),
        ("AccessDeniedException", 400, Denied),
        ("ExpiredTokenException", 403, Denied),
        ("ResourceNotFoundException", 400, NotFound),
        ("NoSuchKey", 404, NotFound),
        ("ResourceExistsException", 400, Conflict),
        ("ExecutionAlreadyExists", 400, Conflict),
        ("InternalServiceError", 500, Unavailable),
        ("Whatever", 502, Unavailable),
        ("ValidationException", 400, Refused),
    ],
)
def test_a_code_is_translated_without_what_the_service_said(code: str, status: int, kind: type[KeyturnError]) -> None:
    ours = answer(code, status)
    assert type(ours) is kind
    assert code in ours.message
    assert MARKER not in f"{ours}{ours.remedy}"


@pytest.mark.parametrize(("header", "seconds"), [("3", 3.0), ("0.5", 0.5), ("", None), ("Wed, 21 Oct", None)])
def test_retry_after_is_kept_where_it_is_a_number(header: str, seconds: float | None) -> None:
    ours = answer("ThrottlingException", headers={"retry-after": header})
    assert isinstance(ours, Throttled)
    assert ours.retry_after_s == seconds


def reasons(*codes: str) -> list[dict[str, str]]:
    return [{"Code": code} for code in codes]


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_transaction_that_met_another_one_is_tried_again(code: str) -> None:
    ours = answer("TransactionCanceledException", CancellationReasons=reasons("None", code))
    assert isinstance(ours, Throttled)


@pytest.mark.parametrize("codes", [("ConditionalCheckFailed",), ("TransactionConflict", "ConditionalCheckFailed")])
def test_a_transaction_whose_condition_did_not_hold_is_an_answer(codes: tuple[str, ...]) -> None:
    ours = answer("TransactionCanceledException", CancellationReasons=reasons(*codes))
    assert type(ours) is Refused


@pytest.mark.parametrize(
    "unreachable", [EndpointConnectionError(endpoint_url="u"), ReadTimeoutError(endpoint_url=MARKER)]
)
def test_no_answer_is_unavailable(unreachable: Exception) -> None:
    ours = aws_client.translate(unreachable)
    assert isinstance(ours, Unavailable)
    assert MARKER not in str(ours)


def test_a_defect_of_this_program_is_not_translated() -> None:
    assert aws_client.translate(KeyError("x")) is None


def test_clients_have_timeouts_and_do_not_retry_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    config = aws_client.client("secretsmanager").meta.config
    assert (config.connect_timeout, config.read_timeout) == (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
    assert config.retries["total_max_attempts"] == 1
