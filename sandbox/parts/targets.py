"""The partners whose credentials rotate, each a process with an authority of its own."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import ClassVar

from sandbox.facts import Credentials, Facts
from sandbox.layout import PRIVATE_DIRECTORY
from sandbox.parts.contract import Request, Started
from sandbox.parts.own_server import port_of, start_module
from sandbox.ports import LOOPBACK
from sandbox.wire import ask, bearer

OK = 200
# 256 bits
AUTHORITY_BYTES = 32
SECRET_FILE = 0o600


class _Target:
    """A module of `sandbox.targets` called as the part, with an authority of its own.

    `asked`: a path that only the authority may read.
    """

    name: ClassVar[str]
    asked: ClassVar[str]
    needs_port: ClassVar[bool] = False

    def start(self, request: Request) -> Started:
        """Start it with a new authority."""
        url, authority = _start(self.name, request)
        return Started(facts={f"{self.name}_url": url}, credentials={f"{self.name}_authority": authority})

    def problem(self, facts: Facts, credentials: Credentials) -> str:
        """Ask as the authority."""
        return _problem(self.address(facts), self.asked, str(getattr(credentials, f"{self.name}_authority")))

    def address(self, facts: Facts) -> str:
        """Its URL."""
        return str(getattr(facts, f"{self.name}_url"))


class TokenService(_Target):
    """The partner's API with two token slots per account."""

    name: ClassVar[str] = "token_service"
    asked: ClassVar[str] = "/accounts/keyturn/slots"


class Verifier(_Target):
    """The service that accepts signed tokens by key id."""

    name: ClassVar[str] = "verifier"
    asked: ClassVar[str] = "/keys"


class Jwks(_Target):
    """The service that publishes key sets and verifies by them."""

    name: ClassVar[str] = "jwks"
    asked: ClassVar[str] = "/sets/keyturn"


class Webhooks(_Target):
    """The partner that receives and sends webhooks."""

    name: ClassVar[str] = "webhooks"
    asked: ClassVar[str] = "/endpoints/keyturn/keys"


def _start(name: str, request: Request) -> tuple[str, str]:
    """URL and authority of a target that answers."""
    home = request.layout.part(name)
    home.mkdir(parents=True, mode=PRIVATE_DIRECTORY)
    authority = secrets.token_urlsafe(AUTHORITY_BYTES)
    file = home / "authority"
    _write_secret(file, authority)
    arguments = ("--authority-file", str(file), "--state", str(home / "state.json"))
    port = start_module(name, f"sandbox.targets.{name}", arguments, request)
    return f"http://{LOOPBACK}:{port}", authority


def _write_secret(path: Path, content: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET_FILE), "w", encoding="ascii") as stream:
        stream.write(content)


def _problem(url: str, path: str, authority: str) -> str:
    try:
        status, _ = ask(port_of(url), "GET", path, headers=bearer(authority))
    except (OSError, ValueError) as exc:
        return f"no answer ({type(exc).__name__})"
    return "" if status == OK else f"answers {status}"
