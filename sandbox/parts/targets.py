"""The two partners whose credentials rotate: token service and verifier, each with an authority of its own."""

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


class TokenService:
    """The partner's API with two token slots per account."""

    name: ClassVar[str] = "token_service"
    needs_port: ClassVar[bool] = False

    def start(self, request: Request) -> Started:
        """Start it with a new authority."""
        url, authority = _start(self.name, request)
        return Started(facts={"token_service_url": url}, credentials={"token_service_authority": authority})

    def problem(self, facts: Facts, credentials: Credentials) -> str:
        """Ask as the authority."""
        return _problem(facts.token_service_url, "/accounts/keyturn/slots", credentials.token_service_authority)

    def address(self, facts: Facts) -> str:
        """Its URL."""
        return facts.token_service_url


class Verifier:
    """The service that accepts signed tokens by key id."""

    name: ClassVar[str] = "verifier"
    needs_port: ClassVar[bool] = False

    def start(self, request: Request) -> Started:
        """Start it with a new authority."""
        url, authority = _start(self.name, request)
        return Started(facts={"verifier_url": url}, credentials={"verifier_authority": authority})

    def problem(self, facts: Facts, credentials: Credentials) -> str:
        """Ask as the authority."""
        return _problem(facts.verifier_url, "/keys", credentials.verifier_authority)

    def address(self, facts: Facts) -> str:
        """Its URL."""
        return facts.verifier_url


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
