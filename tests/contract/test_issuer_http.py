"""The HTTP client of the issuers on a server that misbehaves on purpose: nothing is followed, trusted or quoted."""

from __future__ import annotations

import json
import ssl
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import certificates
import pytest
from issuer_bench import FIRST, MARKER, caller_of

from rotation.calls import Meter
from rotation.contract import Verdict
from rotation.errors import Conflict, Denied, Fenced, KeyturnError, Refused, Throttled, Unavailable
from rotation.issuers.bearer_token import BearerToken
from rotation.issuers.http import ANSWER_LIMIT_BYTES
from rotation.value import SecretValue

# how soon the server notices that it should stop
POLL_SECONDS = 0.02


class _Answers(BaseHTTPRequestHandler):
    """Answers everything with what the test has set."""

    answer: ClassVar[tuple[int, dict[str, str], bytes]] = (200, {}, b"{}")
    asked: ClassVar[list[str]] = []

    def do_any(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.asked.append(f"{self.command} {self.path}")
        status, headers, body = self.answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_DELETE = do_any  # noqa: N815 - names that the standard library looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Silent."""


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port of a server that runs until the block ends."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,))
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(_Answers, "asked", [])
    with serving() as found:
        yield found


def _issuer(url: str, meter: Meter | None = None, **facts: str) -> BearerToken:
    authority = SecretValue.of({"token": f"{MARKER}-authority"})
    caller = caller_of(BearerToken, meter or Meter())
    return BearerToken({"url": url, "account": "acme", **facts}, lambda: authority, caller)


def _fill(port: int, meter: Meter | None = None) -> None:
    issuer = _issuer(f"http://127.0.0.1:{port}/api", meter)
    issuer.apply(issuer.mint(None).value, FIRST)


REFUSALS: tuple[tuple[int, str, type[KeyturnError], str, int], ...] = (
    (401, "", Denied, "target_denied", 1),
    (403, "", Denied, "target_denied", 1),
    (409, "stale_generation", Fenced, "stale_generation", 1),
    (409, "generation_used", Fenced, "stale_generation", 1),
    (409, "too_many_slots", Conflict, "target_conflict", 1),
    (404, "", Refused, "target_refused", 1),
    (429, "", Throttled, "target_busy", 3),
    (500, "", Unavailable, "target_unavailable", 3),
    (503, "", Unavailable, "target_unavailable", 3),
)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: f"{refusal[0]}-{refusal[1]}")
def test_each_refusal_of_the_target_has_its_class_and_its_number_of_attempts(
    port: int, monkeypatch: pytest.MonkeyPatch, refusal: tuple[int, str, type[KeyturnError], str, int]
) -> None:
    status, slug, error, reason, attempts = refusal
    monkeypatch.setattr(_Answers, "answer", (status, {}, json.dumps({"error": slug, "echo": MARKER}).encode()))
    with pytest.raises(error) as caught:
        _fill(port)
    assert caught.value.reason == reason
    assert len(_Answers.asked) == attempts
    assert MARKER not in "".join(traceback.format_exception(caught.value))


def test_retry_after_is_handed_on(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Answers, "answer", (429, {"Retry-After": "7"}, b"{}"))
    with pytest.raises(Throttled) as caught:
        _fill(port)
    assert caught.value.retry_after_s == 7


def test_a_redirect_is_not_followed(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as other:
        monkeypatch.setattr(_Answers, "answer", (307, {"Location": f"http://127.0.0.1:{other}/stolen"}, b"{}"))
        with pytest.raises(Refused, match="target_refused"):
            _fill(port)
        assert _issuer_probe(port) == Verdict.UNPROVEN
    assert [line for line in _Answers.asked if "stolen" in line] == []
    assert _Answers.asked[0] == "PUT /api/accounts/acme/slots/a"


def test_an_answer_without_end_is_cut(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Answers, "answer", (200, {}, b" " * (ANSWER_LIMIT_BYTES + 1)))
    with pytest.raises(Refused, match="too large"):
        _fill(port)


@pytest.mark.parametrize("body", [b"<html>welcome</html>", b"[]", b"{}", b'{"slot": "b"}', b"[" * 100_000])
def test_a_welcome_page_is_not_an_acceptance(port: int, monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    monkeypatch.setattr(_Answers, "answer", (200, {}, body))
    assert _issuer_probe(port) == Verdict.UNPROVEN


def test_a_port_that_speaks_something_else_is_unreachable(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setattr(_Answers, "answer", (200, {"Content-Length": "100"}, b"cut"))
    monkeypatch.setattr(_Answers, "protocol_version", "HTTP/1.0")
    assert _issuer_probe(port) == Verdict.UNPROVEN


@pytest.mark.parametrize(
    "url",
    [
        "http://partner.example",
        "ftp://127.0.0.1",
        "https://user:pass@partner.example",
        "https://partner.example/?a=b",
        "partner.example",
        "https://",
    ],
)
def test_an_address_without_tls_or_with_more_than_an_address_is_refused(url: str) -> None:
    with pytest.raises(Refused, match="bad_facts"):
        _issuer(url)


def test_a_server_is_believed_only_with_a_certificate_of_the_authority_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = certificates.make(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    monkeypatch.setattr(_Answers, "asked", [])
    with serving(context) as port:
        meter = Meter()
        stranger = _issuer(f"https://127.0.0.1:{port}", meter)
        with pytest.raises(Refused, match="target_untrusted"):
            stranger.apply(stranger.mint(None).value, FIRST)
        assert meter.totals() == {"authority": 1}
        assert _Answers.asked == []
        known = _issuer(f"https://127.0.0.1:{port}", ca_file=str(files.authority))
        known.apply(known.mint(None).value, FIRST)
        assert _Answers.asked == ["PUT /accounts/acme/slots/a"]
        misnamed = _issuer(f"https://localhost:{port}", ca_file=str(files.authority))
        assert misnamed.probe(misnamed.mint(None).value).code == "target_untrusted"


def _issuer_probe(port: int) -> Verdict:
    issuer = _issuer(f"http://127.0.0.1:{port}/api")
    return issuer.probe(issuer.mint(None).value).verdict
