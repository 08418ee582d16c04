"""The HTTP that all targets share: unknown, malformed and oversized requests get a clean refusal."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from target_servers import AUTHORITY, digest, serving

from sandbox.targets import token_service, verifier
from sandbox.wire import ask, bearer


@pytest.fixture(params=[token_service, verifier], ids=["token_service", "verifier"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    with serving(request.param, tmp_path) as port:
        yield port


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[int]:
    with serving(token_service, tmp_path) as port:
        yield port


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[int]:
    with serving(verifier, tmp_path) as port:
        yield port


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/", 404, "unknown_path"),
        ("GET", "/accounts/a%2Fb/slots", 404, "unknown_path"),
        ("GET", "/keys/../x/y", 404, "unknown_path"),
        ("PUT", f"/keys/{'k' * 65}", 404, "unknown_path"),
        ("PATCH", "/keys/k", 501, "malformed_request"),
    ],
)
def test_an_unknown_path_or_method_is_a_clean_refusal(
    either: int, method: str, path: str, status: int, error: str
) -> None:
    assert ask(either, method, path, headers=bearer(AUTHORITY)) == (status, {"error": error})


def test_a_known_path_with_another_method_says_so(keys: int, tokens: int) -> None:
    assert ask(keys, "GET", "/verify") == (405, {"error": "wrong_method"})
    assert ask(tokens, "POST", "/accounts/a/whoami") == (405, {"error": "wrong_method"})


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff", b"[" * 10_000], ids=range(5))
def test_a_body_that_is_no_json_object_is_a_clean_refusal(keys: int, body: bytes) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", keys, timeout=5)) as connection:
        connection.request("POST", "/verify", body)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())) == (400, {"error": "malformed_json"})


@pytest.mark.parametrize(
    ("head", "status", "error"),
    [
        (b"Content-Length: 20000\r\n", 413, "too_large"),
        (b"Content-Length: -1\r\n", 411, "length_required"),
        (b"Content-Length: x\r\n", 411, "length_required"),
        (b"Transfer-Encoding: chunked\r\n", 411, "length_required"),
        (b"X: " + b"x" * 70_000 + b"\r\n", 431, "malformed_request"),
    ],
)
def test_a_body_or_head_without_bounds_is_refused_before_it_is_read(
    keys: int, head: bytes, status: int, error: str
) -> None:
    with socket.create_connection(("127.0.0.1", keys), timeout=5) as raw:
        raw.sendall(b"POST /verify HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n")
        answer = http.client.HTTPResponse(raw)
        answer.begin()
        assert (answer.status, json.loads(answer.read())) == (status, {"error": error})
        answer.close()


def test_one_connection_serves_many_requests(tokens: int) -> None:
    body = json.dumps({"sha256": digest("x"), "generation": 1})
    with closing(http.client.HTTPConnection("127.0.0.1", tokens, timeout=5)) as connection:
        for generation in range(3):
            connection.request("PUT", "/accounts/acme/slots/a", body, bearer(AUTHORITY))
            assert connection.getresponse().read() == b'{"slot": "a", "generation": 1}', generation
