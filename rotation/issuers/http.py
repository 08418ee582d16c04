"""A small JSON client for a target's API: one fixed host, verified TLS, timeouts, bounded answers, no redirects.

Built on http.client, which follows nothing and reads no proxy from the environment: a credential goes to the host that
the policy names or nowhere. Deliberately not here: retries (`Caller`), and what a status means (`target_api`).
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from rotation.calls import CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from rotation.errors import Refused
from rotation.issuers.facts import bad_facts, is_loopback

# A list of thousands of keys fits; a target that answers more is not the one that was meant.
ANSWER_LIMIT_BYTES = 1024 * 1024
# RFC 6750, section 2.1: what a bearer token may hold; http.client would quote a wrong one in its error.
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Status, JSON object (empty when the body was none), ETag, and Retry-After in seconds, where given as a number."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    retry_after_s: float | None = None
    etag: str = ""

    @property
    def error(self) -> str:
        """The slug in `error`, to be compared with known ones and never quoted: it is the target's text."""
        return str(self.body.get("error", ""))


class TooLarge(Exception):
    """The answer is larger than `ANSWER_LIMIT_BYTES`."""


class JsonClient:
    """Requests to the base address `url`; `https` only, but for this machine. `ca_file`: certificates to trust.

    Refused `bad_facts` for another address than scheme, host, port and path.
    """

    def __init__(self, kind: str, url: str, ca_file: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname or _extra(parts):
            raise bad_facts(kind, "has a `url` that is not scheme, host and path")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise bad_facts(kind, "has a `url` without TLS to another machine")
        self._host, self._port, self._base = parts.hostname, parts.port, parts.path.rstrip("/")
        self._tls = parts.scheme == "https"
        self._ca_file = ca_file

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        bearer: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; every status is an answer. Bytes are a JSON body that is sent as it is: it is signed.

        Raises OSError, http.client.HTTPException and TooLarge as they are; Refused `malformed_value` for a bearer
        token that cannot stand in a header.
        """
        sent = {"Accept": "application/json", **(headers or {})}
        if bearer:
            sent["Authorization"] = f"Bearer {_checked(bearer)}"
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if content is not None:
            sent["Content-Type"] = "application/json"
        with closing(self._connect()) as connection:
            connection.request(method, self._base + path, content, sent)
            # an answer that ends its connection owns the socket
            with closing(connection.getresponse()) as response:
                return _read(response)

    def _connect(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection
        if self._tls:
            context = ssl.create_default_context(cafile=self._ca_file)
            connection = http.client.HTTPSConnection(self._host, self._port, timeout=CONNECT_TIMEOUT_S, context=context)
        else:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=CONNECT_TIMEOUT_S)
        connection.connect()
        connection.sock.settimeout(READ_TIMEOUT_S)
        return connection


def _extra(parts: SplitResult) -> bool:
    return bool(parts.query or parts.fragment or parts.username or parts.password)


def _checked(bearer: str) -> str:
    if _BEARER.fullmatch(bearer):
        return bearer
    raise Refused(
        "malformed_value", "the token holds characters that no bearer token has", "look at how the version was written"
    )


def _read(response: http.client.HTTPResponse) -> Answer:
    content = response.read(ANSWER_LIMIT_BYTES + 1)
    if len(content) > ANSWER_LIMIT_BYTES:
        raise TooLarge
    try:
        body = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        body = None
    asked = response.getheader("Retry-After", "")
    return Answer(
        status=response.status,
        body=body if isinstance(body, dict) else {},
        # the form with a date is not worth a clock here
        retry_after_s=float(asked) if asked.isascii() and asked.isdigit() else None,
        etag=response.getheader("ETag", ""),
    )
