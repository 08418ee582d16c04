"""How the command reaches control on AWS, and how what AWS says becomes a message with something to do."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from keyturn import cloud
from keyturn.exits import Exit, of_error
from keyturn.stack import Stack
from rotation.errors import KeyturnError

STAGING = Stack(name="staging", account="111111111111", region="eu-central-1", prefix="keyturn")
LOCAL = Stack(name="local", account="000000000000", region="us-east-1", prefix="keyturn", endpoint="http://127.0.0.1:1")
ARN = "arn:aws:states:eu-central-1:111111111111:execution:keyturn-staging-rotate:r"


class Services:
    """Lambda and Step Functions in one: answers what the test gave, or raises it."""

    def __init__(
        self,
        answer: dict[str, Any] | None = None,
        raised: Exception | None = None,
        events: Sequence[dict[str, Any]] = (),
        status: str = "RUNNING",
    ) -> None:
        self.answer, self.raised, self.events, self.status = answer, raised, events, status
        self.sent: dict[str, Any] = {}

    def invoke(self, **request: Any) -> Any:
        self.sent = request
        if self.raised:
            raise self.raised
        return self.answer

    def describe_execution(self, **_request: Any) -> dict[str, str]:
        return {"status": self.status}

    def get_execution_history(self, **_request: Any) -> dict[str, Any]:
        return {"events": list(self.events)}


def answered(payload: object, **more: Any) -> dict[str, Any]:
    return {"Payload": io.BytesIO(json.dumps(payload).encode()), **more}


def client_error(code: int, status: str = 400) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Invoke")


def port(monkeypatch: pytest.MonkeyPatch, services: Services, stack: Stack = STAGING) -> cloud.LambdaControl:
    monkeypatch.setattr(cloud, "client", lambda *_args, **_options: services)
    return cloud.LambdaControl(stack)


def test_a_verb_is_sent_to_the_live_version_of_the_stacks_control_function(monkeypatch: pytest.MonkeyPatch) -> None:
    services = Services(answered({"ok": True, "result": []}))
    assert port(monkeypatch, services).ask("status", {"secrets": []}) == {"ok": True, "result": []}
    assert (services.sent["FunctionName"], services.sent["Qualifier"]) == ("keyturn-staging-control", "live")
    assert json.loads(services.sent["Payload"]) == {"verb": "status", "secrets": []}


@pytest.mark.parametrize(
    ("raised", "reason", "code"),
    [
        (client_error("AccessDeniedException"), "aws_denied", Exit.DENIED),
        (client_error("TooManyRequestsException"), "aws_throttled", Exit.THROTTLED),
        (client_error("ServiceException", 500), "aws_unavailable", Exit.UNREACHABLE),
        (client_error("ResourceNotFoundException"), "stack_not_deployed", Exit.UNKNOWN_STACK),
        (EndpointConnectionError(endpoint_url="https://x"), "aws_unreachable", Exit.UNREACHABLE),
        (NoCredentialsError(), "no_credentials", Exit.DENIED),
    ],
    ids=["denied", "throttled", "unavailable", "not deployed", "unreachable", "no credentials"],
)
def test_what_aws_refuses_has_a_reason_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, raised: Exception, reason: str, code: int
) -> None:
    with pytest.raises(KeyturnError) as caught:
        port(monkeypatch, Services(raised=raised)).ask("status", {})
    assert (caught.value.reason, of_error(caught.value)) == (reason, code)


def test_a_silent_cloud_of_local_is_told_as_a_sandbox_that_is_not_up(monkeypatch: pytest.MonkeyPatch) -> None:
    services = Services(raised=EndpointConnectionError(endpoint_url="http://127.0.0.1:1"))
    with pytest.raises(KeyturnError) as caught:
        port(monkeypatch, services, LOCAL).ask("status", {})
    assert (caught.value.reason, of_error(caught.value)) == ("sandbox_not_up", Exit.SANDBOX_DOWN)
    assert "keyturn sandbox up" in caught.value.remedy


def test_a_control_function_that_broke_is_told_by_its_error_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = {"errorType": "Unavailable", "errorMessage": "AWS did not\nanswer [aws_unreachable]", "stackTrace": ["x"]}
    services = Services(answered(payload, FunctionError="Unhandled"))
    with pytest.raises(KeyturnError) as caught:
        port(monkeypatch, services).ask("status", {})
    assert "the control function failed: Unavailable: AWS did not answer" in caught.value.message
    assert of_error(caught.value) is Exit.UNREACHABLE


def test_the_trouble_of_an_execution_is_what_a_task_died_of_not_the_slug_of_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cause = json.dumps({"errorMessage": "Vault did not answer [vault_unreachable]", "errorType": "Unavailable"})
    events = [
        {"type": "ExecutionFailed", "executionFailedEventDetails": {"error": "prepare_broke", "cause": "prepare"}},
        {"type": "TaskStateExited", "stateExitedEventDetails": {"name": "compensate"}},
        {"type": "TaskFailed", "taskFailedEventDetails": {"error": "Unavailable", "cause": cause}},
        {"type": "TaskFailed", "taskFailedEventDetails": {"error": "Older", "cause": "older"}},
    ]
    found = port(monkeypatch, Services(events=events, status="FAILED")).execution(ARN)
    assert (found.status, found.trouble) == ("FAILED", "Vault did not answer [vault_unreachable]")


def test_a_running_execution_without_errors_has_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    found = port(monkeypatch, Services(events=[{"type": "ExecutionStarted"}])).execution(ARN)
    assert (found.running, found.trouble) == (True, "")
