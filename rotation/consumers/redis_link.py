"""A connection to the Redis that carries events, as a user of its own that may do nothing else.

Timeouts are short and there is one more attempt: the client's own defaults could hold a function for a minute. The SDK
is imported when the first event is sent. One connection per invocation, so that a login that was changed is never kept.
Not here: what is sent (`redis`, `rq`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from rotation.calls import Caller, Kind
from rotation.errors import Denied, KeyturnError, Refused, Unavailable
from rotation.value import SecretValue

T = TypeVar("T")

# A server that has not accepted a connection by then is down; the event is kept and sent again later.
CONNECT_TIMEOUT_S = 0.5
# Every command here is one write of a few hundred bytes.
READ_TIMEOUT_S = 1.0
# One more attempt, without a pause: the first may have met a server that was just restarting.
RETRIES = 1


@dataclass(frozen=True, kw_only=True)
class RedisAddress:
    """`verified`: over TLS, with the server's certificate checked; off in the sandbox only."""

    host: str
    port: int
    verified: bool


def address(text: str, tls: str) -> RedisAddress:
    """From `host:port` and `verify` or `off`; Refused `configuration`."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or tls not in ("verify", "off"):
        raise Refused(
            "configuration",
            "KEYTURN_EVENTS_REDIS has to be host:port, and KEYTURN_EVENTS_REDIS_TLS verify or off",
            "deploy the function from the program",
        )
    return RedisAddress(host=host, port=int(port), verified=tls == "verify")


class RedisLink:
    """`authority` reads the publisher's login (JSON `username`, `password`), once, when it is first needed."""

    def __init__(self, where: RedisAddress, authority: Callable[[], SecretValue], caller: Caller) -> None:
        self._where = where
        self._authority = authority
        self._caller = caller
        self._client: Any = None

    def call(self, send: Callable[[Any], T]) -> T:
        """`send` with a client, counted and translated. Refused `authority_unreadable`, else as `translate`."""
        client = self._connected()
        # the client itself makes the one more attempt
        return self._caller.call(Kind.PUBLISH, lambda: send(client), idempotent=False)

    def close(self) -> None:
        """Give the connection back, if there is one."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connected(self) -> Any:
        if self._client is None:
            # a promotion of a policy that announces nothing does not pay for this import
            from redis import Redis  # noqa: PLC0415
            from redis.backoff import NoBackoff  # noqa: PLC0415
            from redis.retry import Retry  # noqa: PLC0415

            username, password = _login(self._authority())
            self._client = Redis(
                host=self._where.host,
                port=self._where.port,
                username=username,
                password=password,
                ssl=self._where.verified,
                socket_connect_timeout=CONNECT_TIMEOUT_S,
                socket_timeout=READ_TIMEOUT_S,
                retry=Retry(NoBackoff(), RETRIES),
                # the user may not call CLIENT, and says HELLO for nothing
                driver_info=None,
                protocol=2,
            )
        return self._client


def _login(value: SecretValue) -> tuple[str, str]:
    try:
        fields = value.unsafe_fields()
        return fields["username"], fields["password"]
    except (KeyError, ValueError):
        raise Refused(
            "authority_unreadable",
            "the publisher's authority is not JSON with username and password",
            "put it again as docs/events.md says",
        ) from None


def translate(exc: Exception) -> KeyturnError | None:
    """Ours for what redis-py raises; a message of the server is never quoted."""
    from redis import exceptions  # noqa: PLC0415

    said = f"Redis refused or did not answer ({type(exc).__name__})"
    if isinstance(exc, exceptions.AuthenticationError | exceptions.NoPermissionError):
        return Denied("redis_denied", said, "compare the publisher's user with docs/events.md")
    if isinstance(exc, exceptions.ConnectionError | exceptions.TimeoutError):
        return Unavailable("redis_unreachable", said, "check network and endpoint")
    if isinstance(exc, exceptions.RedisError):
        return Refused("redis_refused", said)
    return None
