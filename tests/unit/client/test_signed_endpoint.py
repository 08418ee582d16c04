"""What the endpoint's answer to an acknowledgement means, and what is signed; the endpoint itself is a stand-in."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.credentials import Credentials

from keyturn.client import ClientError, Unavailable
from keyturn.client.transports.signed_endpoint import SignedEndpoint

MESSAGE = {"secret": "payments/postgres", "version": "v1"}


class Answering:
    """In the place of the network."""

    def __init__(self, status: int, body: bytes) -> None:
        self._answer = SimpleNamespace(status_code=status, content=body)
        self.requests: list[Any] = []

    def send(self, request: Any) -> Any:
        self.requests.append(request)
        return self._answer


def endpoint(status: int, body: object, *, host: str = "") -> tuple[SignedEndpoint, Answering]:
    """An endpoint that answers so, to a service that has credentials."""
    session: Any = SimpleNamespace(get_credentials=lambda: Credentials("KEY1", "word-1"))
    send = SignedEndpoint("https://endpoint.test/", "eu-central-1", session=session, host=host)
    network = Answering(status, body if isinstance(body, bytes) else json.dumps(body).encode())
    send._http = network  # type: ignore[assignment]  # the network of the tests
    return send, network


def test_a_message_that_is_accepted_was_signed_for_the_endpoint_alone() -> None:
    send, network = endpoint(200, {"ok": True}, host="name.test")
    send(MESSAGE)

    (request,) = network.requests
    signed = {name.lower(): str(said) for name, said in request.headers.items()}
    assert (request.url, json.loads(request.body)) == ("https://endpoint.test/verbs/acknowledge", MESSAGE)
    assert "/eu-central-1/execute-api/aws4_request" in signed["authorization"]
    assert "host;" in signed["authorization"]
    assert "word-1" not in str(signed)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_endpoint_that_is_busy_or_broken_may_take_it_later(status: int) -> None:
    send, _ = endpoint(status, {"ok": True})
    with pytest.raises(Unavailable, match="endpoint_unavailable"):
        send(MESSAGE)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (403, {"ok": False, "reason": "not_this_consumer"}, "not_this_consumer"),
        (200, {"ok": False, "reason": "unknown_version"}, "unknown_version"),
        (200, {}, "acknowledgement_refused"),
        (200, b"<html>", "acknowledgement_refused"),
        (200, ["ok"], "acknowledgement_refused"),
        # followed nowhere
        (302, {"ok": True}, "acknowledgement_refused"),
    ],
)
def test_only_a_clear_yes_counts_and_a_refusal_keeps_its_reason(status: int, body: object, reason: str) -> None:
    send, network = endpoint(status, body)
    with pytest.raises(ClientError) as refused:
        send(MESSAGE)
    assert (refused.value.reason, type(refused.value), len(network.requests)) == (reason, ClientError, 1)
