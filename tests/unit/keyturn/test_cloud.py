"""How the command reaches control on AWS, and how what AWS says becomes a message with something to do."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError

from keyturn import cloud, endpoint
from keyturn.exits import Exit, of_error
from keyturn.stack import Stack
from rotation.errors import KeyturnError

STAGING = Stack(name="staging", account="111111111111", region="eu-central-1", prefix="keyturn")
LOCAL = Stack(name="local", account="000000000000", region="us-east-1", prefix="keyturn", endpoint="http://127.0.0.1:1")
ARN = "arn:aws:states:eu-central-1:111111111111:execution:keyturn-staging-rotate:r"
KEYS = Credentials("AKIAEXAMPLE", "a-secret", "a-session")
URL = "https://a1b2.execute-api.eu-central-1.amazonaws.com"
ROTATE = "arn:aws:execute-api:eu-central-1:111111111111:a1b2/$default/POST/verbs/rotate"


class Services:
    """API Gateway and Step Functions in one: answers what the test gave, or raises it."""

    def __init__(
        self, events: Sequence[dict[str, Any]] = (), status: str = "RUNNING", raised: Exception | None = None
    ) -> None:
        self.events, self.status, self.raised = events, status, raised
        self.apis = [api("keyturn-staging-endpoint"), api("keyturn-local-endpoint", "http://b.execute-api.localhost:1")]

    def get_paginator(self, name: str) -> Any:
        assert name == "get_apis"
        if self.raised:
            raise self.raised
        # a page each
        return SimpleNamespace(paginate=lambda: [{"Items": [one]} for one in self.apis] or [{"Items": []}])

    def describe_execution(self, **_request: Any) -> dict[str, str]:
        return {"status": self.status}

    def get_execution_history(self, **_request: Any) -> dict[str, Any]:
        return {"events": list(self.events)}


def api(name: str, url: str = "https://a1b2.execute-api.eu-central-1.amazonaws.com") -> dict[str, str]:
    return {"Name": name, "ApiId": "a1b2", "ApiEndpoint": url}


class Wire:
    """In the place of the HTTP session: what was sent, and the answers that the test gave, the last one for ever."""

    def __init__(self, *answers: Exception | tuple[int, object]) -> None:
        self.answers = list(answers)
        self.sent: list[Any] = []
        self.options: dict[str, Any] = {}

    def made(self, **options: Any) -> Wire:
        self.options = options
        return self

    def send(self, request: Any) -> Any:
        self.sent.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        content = answer[1] if isinstance(answer[1], bytes) else json.dumps(answer[1]).encode()
        return SimpleNamespace(status_code=answer[0], content=content)


def client_error(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetApis")


def port(
    monkeypatch: pytest.MonkeyPatch,
    wire: Wire,
    stack: Stack = STAGING,
    services: Services | None = None,
    credentials: Credentials | None = KEYS,
) -> cloud.EndpointControl:
    found = services or Services()
    monkeypatch.setattr(cloud, "client", lambda *_args, **_options: found)
    monkeypatch.setattr(cloud, "session", lambda _stack: SimpleNamespace(get_credentials=lambda: credentials))
    monkeypatch.setattr(endpoint, "URLLib3Session", wire.made)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    return cloud.EndpointControl(stack)


FINE = (200, {"ok": True, "result": []})


def test_a_verb_is_posted_to_its_route_of_the_stacks_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(FINE)
    assert port(monkeypatch, wire).ask("status", {"secrets": []}) == {"ok": True, "result": []}
    (sent,) = wire.sent
    assert (sent.method, sent.url) == ("POST", f"{URL}/verbs/status")
    assert json.loads(sent.body) == {"secrets": []}


def test_the_request_is_signed_for_the_endpoint_its_host_and_its_body(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(FINE)
    port(monkeypatch, wire).ask("status", {"secrets": []})
    headers = wire.sent[0].headers
    scope = r"Credential=AKIAEXAMPLE/\d{8}/eu-central-1/execute-api/aws4_request"
    assert re.search(f"AWS4-HMAC-SHA256 {scope}", headers["Authorization"])
    assert "host;" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"] == "a-session"
    assert headers["Host"] == "a1b2.execute-api.eu-central-1.amazonaws.com"
    assert "a-secret" not in str(headers)


def test_breaking_the_glass_is_a_route_and_no_field(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(FINE)
    asking = port(monkeypatch, wire)
    asking.ask("rotate", {"secret": "a/b", "break_glass": True})
    asking.ask("rotate", {"secret": "a/b", "break_glass": False})
    assert [one.url for one in wire.sent] == [f"{URL}/verbs/break_glass/rotate", f"{URL}/verbs/rotate"]
    assert [json.loads(one.body) for one in wire.sent] == [{"secret": "a/b"}] * 2


def test_local_connects_to_the_emulator_and_names_the_api_as_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    wire = Wire(FINE)
    port(monkeypatch, wire, LOCAL).ask("status", {})
    assert wire.sent[0].url == "http://127.0.0.1:1/verbs/status"
    assert wire.sent[0].headers["Host"] == "b.execute-api.localhost:1"
    assert wire.options["proxies"] == {}


def test_a_real_stack_is_reached_through_the_environments_proxy_and_certificates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("AWS_CA_BUNDLE", "bundle.pem")
    wire = Wire(FINE)
    port(monkeypatch, wire).ask("status", {})
    assert wire.options["proxies"]["https"] == "http://proxy.example:3128"
    assert wire.options["verify"] == "bundle.pem"


def test_a_refusal_of_controls_own_is_handed_on_whatever_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"ok": False, "reason": "claim_held", "message": "m", "remedy": "r"}
    assert port(monkeypatch, Wire((409, said))).ask("rotate", {}) == said


SLOW_DOWN = (429, {"message": "Too Many Requests"})
BROKE = (500, {"message": "Internal Server Error"})


@pytest.mark.parametrize("trouble", [SLOW_DOWN, BROKE, ReadTimeoutError(endpoint_url="https://x")])
def test_a_read_is_repeated_and_a_verb_that_changes_something_is_sent_once(
    monkeypatch: pytest.MonkeyPatch, trouble: Exception | tuple[int, object]
) -> None:
    wire = Wire(trouble, trouble, FINE)
    assert port(monkeypatch, wire).ask("history", {"secret": "a/b"})["ok"]
    assert len(wire.sent) == 3
    wire = Wire(trouble)
    with pytest.raises(KeyturnError):
        port(monkeypatch, wire).ask("rotate", {"secret": "a/b"})
    assert len(wire.sent) == 1


@pytest.mark.parametrize(
    ("answer", "reason", "code", "remedy"),
    [
        ((403, {"message": "Forbidden"}), "verb_denied", Exit.DENIED, f"execute-api:Invoke on {ROTATE} "),
        (SLOW_DOWN, "endpoint_throttled", Exit.THROTTLED, "repeat"),
        (BROKE, "control_unavailable", Exit.UNREACHABLE, "`keyturn doctor`"),
        ((503, {"message": "Service Unavailable"}), "control_unavailable", Exit.UNREACHABLE, "`keyturn history`"),
        ((502, b"<html>"), "control_unavailable", Exit.UNREACHABLE, "`keyturn doctor`"),
        ((404, {"message": "Not Found"}), "answer_not_understood", Exit.UNKNOWN_STACK, "from this checkout"),
        ((200, b"<html>"), "answer_not_understood", Exit.UNKNOWN_STACK, "deploy"),
        ((200, [1]), "answer_not_understood", Exit.UNKNOWN_STACK, "deploy"),
        (EndpointConnectionError(endpoint_url="https://x"), "aws_unreachable", Exit.UNREACHABLE, "network"),
    ],
)
def test_what_the_gateway_says_in_controls_place_has_a_reason_an_exit_code_and_a_remedy(
    monkeypatch: pytest.MonkeyPatch, answer: Exception | tuple[int, object], reason: str, code: int, remedy: str
) -> None:
    with pytest.raises(KeyturnError) as caught:
        port(monkeypatch, Wire(answer)).ask("rotate", {"secret": "a/b"})
    assert (caught.value.reason, of_error(caught.value)) == (reason, code)
    assert remedy in caught.value.remedy


def test_who_has_no_credentials_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(FINE)
    with pytest.raises(KeyturnError) as caught:
        port(monkeypatch, wire, credentials=None).ask("rotate", {})
    assert (caught.value.reason, of_error(caught.value), wire.sent) == ("no_credentials", Exit.DENIED, [])


@pytest.mark.parametrize(
    ("raised", "reason", "code"),
    [
        (client_error("AccessDeniedException"), "aws_denied", Exit.DENIED),
        (client_error("TooManyRequestsException"), "aws_throttled", Exit.THROTTLED),
        (client_error("ServiceException", 500), "aws_unavailable", Exit.UNREACHABLE),
        (EndpointConnectionError(endpoint_url="https://x"), "aws_unreachable", Exit.UNREACHABLE),
        (NoCredentialsError(), "no_credentials", Exit.DENIED),
    ],
    ids=["denied", "throttled", "unavailable", "unreachable", "no credentials"],
)
def test_an_endpoint_that_cannot_be_looked_up_has_a_reason_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, raised: Exception, reason: str, code: int
) -> None:
    with pytest.raises(KeyturnError) as caught:
        port(monkeypatch, Wire(FINE), services=Services(raised=raised)).ask("status", {})
    assert (caught.value.reason, of_error(caught.value)) == (reason, code)
    if reason == "aws_denied":
        assert "apigateway:GET on arn:aws:apigateway:eu-central-1::/apis" in caught.value.remedy


def test_a_stack_without_its_endpoint_is_not_deployed_and_two_are_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    services = Services()
    services.apis = [api("keyturn-staging-endpoint-2"), api("keyturn-prod-endpoint")]
    with pytest.raises(KeyturnError) as caught:
        port(monkeypatch, Wire(FINE), services=services).ask("status", {})
    assert (caught.value.reason, of_error(caught.value)) == ("stack_not_deployed", Exit.UNKNOWN_STACK)
    services.apis = [api("keyturn-staging-endpoint")] * 2
    with pytest.raises(KeyturnError) as caught:
        port(monkeypatch, Wire(FINE), services=services).ask("status", {})
    assert (caught.value.reason, of_error(caught.value)) == ("endpoint_ambiguous", Exit.UNKNOWN_STACK)


def test_a_silent_cloud_of_local_is_told_as_a_sandbox_that_is_not_up(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
    for wire, services in ((Wire(silent), Services()), (Wire(FINE), Services(raised=silent))):
        with pytest.raises(KeyturnError) as caught:
            port(monkeypatch, wire, LOCAL, services).ask("status", {})
        assert (caught.value.reason, of_error(caught.value)) == ("sandbox_not_up", Exit.SANDBOX_DOWN)
        assert "keyturn sandbox up" in caught.value.remedy


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
    found = port(monkeypatch, Wire(FINE), services=Services(events, "FAILED")).execution(ARN)
    assert (found.status, found.trouble) == ("FAILED", "Vault did not answer [vault_unreachable]")


def test_a_running_execution_without_errors_has_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    found = port(monkeypatch, Wire(FINE), services=Services([{"type": "ExecutionStarted"}])).execution(ARN)
    assert (found.running, found.trouble) == (True, "")
