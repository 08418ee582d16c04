"""The way to Redis or Valkey: one connection with timeouts and verified TLS, and what the server's errors mean.

redis-py's connection alone, without its client: a client repeats a refused login ten times and greets the server with
commands that the user may not be allowed. Logging in is a command like others here, so that the server's own error code
reaches whoever has to judge it (https://redis.io/docs/latest/commands/auth/). Importing this module imports the driver,
which is why the issuer does so on first use only.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.connection import Connection, SSLConnection
from redis.retry import Retry

from rotation.errors import Denied, KeyturnError, Refused, Throttled, Unavailable

# The server answers in microseconds, and its one thread must not be waited for longer by a function's three attempts.
TIMEOUT_S = 1.0
# RESP2: its answers are the same in every version that knows users (6.0 and later)
_PROTOCOL = 2
WRONG_PASSWORD = "WRONGPASS"  # noqa: S105 - a code
_UNTRUSTED = Refused(
    "target_untrusted",
    "Redis could not prove who it is",
    "check the host and the authority that signed its certificate (fact `ca_file`)",
)


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a server is. `tls` False is for this machine only; `ca_file` "" means the system's authorities."""

    host: str
    port: int
    tls: bool
    ca_file: str = ""


class Session:
    """A connection that is logged in; the caller closes it. Raises redis-py's errors and OSError as they are."""

    def __init__(self, address: Address, user: str, password: str) -> None:
        self._connection = _connection(address)
        self._connection.connect()  # type: ignore[no-untyped-call]
        try:
            self.ask("AUTH", user, password)
        except BaseException:
            self.close()
            raise

    def ask(self, *command: str) -> Any:
        """The answer to one command."""
        self._connection.send_command(*command)  # type: ignore[no-untyped-call]
        return self._connection.read_response()

    def together(self, commands: Sequence[tuple[str, ...]]) -> list[Any]:
        """The answers to commands that happen all or none, unless a watched key was changed: WatchError then.

        A command that fails while it runs is an exception among the answers: Redis does not undo those before it.
        """
        self.ask("MULTI")
        for command in commands:
            self.ask(*command)
        answers = self.ask("EXEC")
        if answers is None:
            raise redis.WatchError
        found: list[Any] = answers
        return found

    def close(self) -> None:
        """Close; a server that is gone already must not hide why."""
        with contextlib.suppress(redis.RedisError, OSError):
            self._connection.disconnect()  # type: ignore[no-untyped-call]


def error_code(exc: Exception) -> str:
    """The server's own code, empty when the error carries none."""
    return str(getattr(exc, "status_code", "") or "")


def translate(exc: Exception) -> KeyturnError | None:
    """The translation table of the driver: by class; None for what the driver did not raise."""
    if isinstance(exc, (redis.AuthenticationError, redis.exceptions.NoPermissionError)):
        return Denied(
            "target_denied",
            f"Redis refused the authority ({error_code(exc) or type(exc).__name__})",
            "check the authority's credential and its rights",
        )
    if isinstance(exc, (redis.WatchError, redis.BusyLoadingError, redis.exceptions.MaxConnectionsError)):
        return Throttled("target_busy", f"Redis is busy ({type(exc).__name__})")
    if isinstance(exc, (redis.ConnectionError, redis.TimeoutError, OSError)):
        return _UNTRUSTED if _is_untrusted(exc) else _unreachable(exc)
    if isinstance(exc, redis.RedisError):
        return Refused("target_refused", f"Redis refused a command ({error_code(exc) or type(exc).__name__})")
    return None


def _unreachable(exc: Exception) -> Unavailable:
    problem = f"Redis did not answer ({type(exc).__name__})"
    return Unavailable("target_unreachable", problem, "check the host, the port and the way there")


def _is_untrusted(exc: BaseException | None) -> bool:
    while exc is not None:
        if isinstance(exc, ssl.SSLCertVerificationError):
            return True
        exc = exc.__cause__ or exc.__context__
    return False


def _connection(address: Address) -> Connection:
    given: dict[str, Any] = {
        "host": address.host,
        "port": address.port,
        "socket_timeout": TIMEOUT_S,
        "socket_connect_timeout": TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),
        "protocol": _PROTOCOL,
        "decode_responses": True,
        "driver_info": None,
    }
    if not address.tls:
        return Connection(**given)  # type: ignore[no-untyped-call]
    return SSLConnection(ssl_check_hostname=True, ssl_ca_certs=address.ca_file or None, **given)
