"""The program of every stack, recorded once for all tests, one event loop each."""

from __future__ import annotations

import pytest
from recorded_stacks import REAL, STACKS, Stack

from bootstrap.config import PROJECT as BOOTSTRAP


@pytest.fixture(scope="session")
def stacks() -> dict[str, Stack]:
    return {name: Stack(name) for name in STACKS}


@pytest.fixture(params=STACKS)
def stack(request: pytest.FixtureRequest, stacks: dict[str, Stack]) -> Stack:
    return stacks[request.param]


@pytest.fixture
def prod(stacks: dict[str, Stack]) -> Stack:
    return stacks["prod"]


@pytest.fixture(scope="session")
def bootstraps() -> dict[str, Stack]:
    return {name: Stack(name, BOOTSTRAP) for name in REAL}


@pytest.fixture(params=REAL)
def bootstrap(request: pytest.FixtureRequest, bootstraps: dict[str, Stack]) -> Stack:
    return bootstraps[request.param]
