"""The way to PostgreSQL: one connection with timeouts and verified TLS, and what the server's errors mean.

pg8000, because it hands over the server's error fields also when a login fails; the sqlstate decides, never the text
(https://www.postgresql.org/docs/current/errcodes-appendix.html). Importing this module imports the driver, which is
why the issuer does so on first use only.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from dataclasses import dataclass

import scramp
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection

from rotation.calls import CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from rotation.errors import Denied, KeyturnError, Refused, Throttled, Unavailable

# invalid_password: the authentication was refused
REFUSED_PASSWORD = "28P01"  # noqa: S105 - a code
# invalid_authorization_specification: NOLOGIN after a right password, or no line of pg_hba.conf matches
REFUSED_LOGIN = "28000"
# insufficient_privilege
_DENIED = frozenset({REFUSED_PASSWORD, REFUSED_LOGIN, "42501"})
# out of connections or memory, deadlock, lock or statement timeout: another attempt may find it free
_BUSY = ("53", "40", "55P03", "57014", "25P03")
# connection exceptions, and shutdown, crash or start-up of the server
_AWAY = ("08", "57P")
# scramp's stages: the server proved that it knows the verifier
_SERVER_PROVED = 4


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a database is. `tls` is None where it is off (this machine only)."""

    host: str
    port: int
    database: str
    tls: ssl.SSLContext | None


class Session(Connection):  # type: ignore[misc]
    """A connection whose failed login keeps the server's error, and that tells whether a password was proved."""

    def close(self) -> None:
        """Close; a server that is gone already has closed it, and must not hide why a login failed."""
        with contextlib.suppress(InterfaceError):
            super().close()

    @property
    def proved(self) -> bool:
        """Whether a SCRAM exchange went to its end: both sides showed that they know the password."""
        return getattr(getattr(self, "auth", None), "stage", 0) == _SERVER_PROVED


def open_session(address: Address, user: str, password: str) -> Session:
    """Log in. Raises pg8000's errors, OSError (TLS and network) and ScramException as they are."""
    sock = socket.create_connection((address.host, address.port), CONNECT_TIMEOUT_S)
    try:
        sock.settimeout(READ_TIMEOUT_S)
        return Session(
            user,
            host=address.host,
            database=address.database,
            password=password,
            application_name="keyturn",
            ssl_context=address.tls or False,
            sock=sock,
        )
    except BaseException:
        sock.close()
        raise


def sqlstate(exc: DatabaseError) -> str:
    """The server's own code, empty when the error carries none."""
    fields = exc.args[0] if exc.args else None
    return str(fields.get("C", "")) if isinstance(fields, dict) else ""


def translate(exc: Exception) -> KeyturnError | None:
    """The translation table of the driver: by class and sqlstate; None for what the driver did not raise."""
    if isinstance(exc, DatabaseError):
        return _of_sqlstate(sqlstate(exc))
    if isinstance(exc, (ssl.SSLCertVerificationError, scramp.ScramException)):
        return Refused(
            "target_untrusted",
            f"PostgreSQL could not prove who it is ({type(exc).__name__})",
            "check the host and the authority that signed its certificate (fact `ca_file`)",
        )
    if isinstance(exc, (InterfaceError, OSError)):
        return Unavailable(
            "target_unreachable",
            f"PostgreSQL did not answer ({type(exc).__name__})",
            "check the host, the port and the way there",
        )
    return None


def _of_sqlstate(code: str) -> KeyturnError:
    if code in _DENIED:
        return Denied(
            "target_denied",
            f"PostgreSQL refused the authority (sqlstate {code})",
            "check the authority's credential and its rights",
        )
    if code.startswith(_BUSY):
        return Throttled("target_busy", f"PostgreSQL is busy (sqlstate {code})")
    if code.startswith(_AWAY):
        return Unavailable("target_unreachable", f"PostgreSQL is not in service (sqlstate {code})")
    return Refused("target_refused", f"PostgreSQL refused a statement (sqlstate {code or 'unknown'})")
