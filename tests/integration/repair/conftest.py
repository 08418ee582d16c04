"""One deployment for this folder, whose policies do not wait; each test breaks a credential and leaves it well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from repair_command import Command
from repair_subject import Subject, subject
from runs_catalogue import timed
from runs_credentials import ALL, API_TOKEN, POSTGRES, SIGNING_KEY, Credential
from runs_deployed import deployed, root_of
from runs_stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack; nothing is waited for but where a test says so."""
    with deployed(root_of(tmp_path_factory, "repair"), auth=False) as made, ExitStack() as quick:
        for credential in ALL:
            quick.enter_context(timed(made, credential.name, overlap_s=0))
        yield made


@pytest.fixture
def command(stack: Stack) -> Command:
    """The command for this stack."""
    return Command(stack)


@pytest.fixture(params=ALL, ids=lambda credential: credential.function)
def each(request: pytest.FixtureRequest, stack: Stack) -> Iterator[Subject]:
    """Each credential in turn, settled."""
    yield from _settled(stack, request.param)


@pytest.fixture
def postgres(stack: Stack) -> Iterator[Subject]:
    """The user at PostgreSQL, kept in AWS."""
    yield from _settled(stack, POSTGRES)


@pytest.fixture
def api_token(stack: Stack) -> Iterator[Subject]:
    """The token of the partner's service, kept in Vault."""
    yield from _settled(stack, API_TOKEN)


@pytest.fixture
def signing_key(stack: Stack) -> Iterator[Subject]:
    """The key that the verifier knows, kept in Google."""
    yield from _settled(stack, SIGNING_KEY)


def _settled(stack: Stack, credential: Credential) -> Iterator[Subject]:
    with subject(stack, credential) as found:
        if found.head["run_id"] or found.head["leftover"]:
            # of a test that failed: its failure is its own
            Command(stack)("repair", found.name, "--yes")
        yield found.settled()
