"""Two deployments: one for most tests of this folder, at LOG_LEVEL=DEBUG, and one whose AWS enforces every role.

Each is a sandbox of its own with the program of stack `local`, stopped and removed when its tests are done. What takes
time (the lives of three credentials, runs that fail) is played once, the tests judge what was seen.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from runs_deployed import deployed, root_of
from runs_failures import Failure, fail_all
from runs_faults_ways import Faulty, through_faults
from runs_life import Life, live_all
from runs_stack import PREFIX, Stack

FUNCTIONS = ("aws", "vault", "gcp", "control")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The deployed stack; its functions log at DEBUG."""
    with deployed(root_of(tmp_path_factory, "runs"), auth=False) as made:
        for function in FUNCTIONS:
            log_at_debug(made, f"{PREFIX}-{function}")
        yield made


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The same stack where AWS enforces policies: each function has what its declared role allows."""
    with deployed(root_of(tmp_path_factory, "guarded"), auth=True) as made:
        yield made


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    """The same stack with a fault proxy on every way."""
    with deployed(root_of(tmp_path_factory, "faulty"), auth=False) as made, through_faults(made) as faulty:
        yield faulty


@pytest.fixture(scope="session")
def lives(stack: Stack) -> dict[str, Life]:
    """First value, rotation and retirement of every credential, watched by a reader."""
    return live_all(stack, watched=True)


@pytest.fixture(scope="session")
def failures(stack: Stack, lives: dict[str, Life]) -> dict[str, Failure]:
    """A rotation of every credential whose test fails, and what came after the fault was repaired."""
    return fail_all(stack)


@pytest.fixture
def settled(stack: Stack, lives: dict[str, Life]) -> Stack:
    """Every credential has a current version and no open overlap."""
    stack.settle(*lives)
    return stack


def log_at_debug(stack: Stack, function: str) -> None:
    """No stack declares DEBUG, so it is set as an operator would: a new version with it, behind the alias."""
    client = stack.aws("lambda")
    variables = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    client.update_function_configuration(
        FunctionName=function, Environment={"Variables": {**variables, "LOG_LEVEL": "DEBUG"}}
    )
    version = client.publish_version(FunctionName=function)["Version"]
    client.update_alias(FunctionName=function, Name="live", FunctionVersion=version)
