"""One AWS emulator and one Vault server for all tests here, started empty and stopped by process id."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from handler_world import World

from sandbox import processes
from sandbox.facts import Credentials, Facts
from sandbox.google.server import GoogleServer
from sandbox.layout import Layout
from sandbox.parts.contract import Request
from sandbox.parts.ministack import Ministack
from sandbox.parts.openbao import Openbao
from sandbox.ports import reserved

_COUNTER = itertools.count()


@pytest.fixture(scope="session")
def servers() -> Iterator[tuple[Facts, Credentials]]:
    """Facts and credentials of both, and of a Google server in this process."""
    layout = Layout(Path(tempfile.mkdtemp(prefix="keyturn-handlers-")) / "sandbox")
    layout.claim()
    layout.make_fresh()
    google = GoogleServer()
    try:
        facts, credentials = _start(layout)
        yield (
            Facts(
                **facts,
                google_endpoint=f"127.0.0.1:{google.start()}",
                postgres_port=0,
                redis_port=0,
                token_service_url="",
                verifier_url="",
                jwks_url="",
                webhooks_url="",
            ),
            credentials,
        )
    finally:
        google.stop()
        for part in (Ministack, Openbao):
            running = processes.load(layout.process(part.name))
            if running is not None:
                processes.stop(running)
        shutil.rmtree(layout.root.parent)


def _start(layout: Layout) -> tuple[dict[str, object], Credentials]:
    with reserved({Ministack.name: 0, Openbao.name: 0}) as ports:
        aws = Ministack().start(Request(layout=layout, port=ports[Ministack.name]))
        vault = Openbao().start(Request(layout=layout, port=ports[Openbao.name]))
    made = {field.name for field in fields(Credentials)}
    rest = made - set(vault.credentials)
    return {**aws.facts, **vault.facts}, Credentials(**vault.credentials, **dict.fromkeys(rest, ""))


@pytest.fixture(scope="session")
def shared(servers: tuple[Facts, Credentials]) -> Iterator[World]:
    """The handlers on these servers."""
    made = World.on(*servers)
    yield made
    made.close()


@pytest.fixture
def world(shared: World) -> World:
    """The same handlers, and names that no other test has."""
    return shared.named(f"t{next(_COUNTER)}")
