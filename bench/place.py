"""A sandbox of the benchmark's own, deployed like any other, where only the benchmark starts runs; gone afterwards."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.functions import Functions
from keyturn import connect
from keyturn.bring_up import bring_up
from keyturn.cloud import client
from keyturn.control import Control
from keyturn.stack import LOCAL, Stack, load
from keyturn.telling import Tell
from sandbox import lifecycle
from sandbox.facts import Facts
from sandbox.layout import DIRECTORY_VARIABLE, Layout


@dataclass(frozen=True, kw_only=True)
class Place:
    """What is measured, and the ways to it."""

    facts: Facts
    stack: Stack
    control: Control
    functions: Functions
    states: Any
    secrets: Any

    def machine_arn(self, machine: str) -> str:
        """A state machine of the stack."""
        return f"arn:aws:states:{self.stack.region}:{self.stack.account}:stateMachine:{self.stack.function(machine)}"


@contextmanager
def deployed(tell: Tell) -> Iterator[Place]:
    """The place while the block lasts. Raises as `keyturn.bring_up`."""
    with tempfile.TemporaryDirectory(prefix="keyturn-bench-") as directory, _directory(Path(directory) / "sandbox"):
        try:
            facts = bring_up(tell, again=False).facts
            stack = load(LOCAL)
            # the schedule would start runs of its own
            client(stack, "scheduler").delete_schedule(Name=stack.function("sweep"))
            yield Place(
                facts=facts,
                stack=stack,
                control=connect.control_of(LOCAL, to_start=True),
                functions=Functions(stack),
                states=client(stack, "stepfunctions"),
                secrets=client(stack, "secretsmanager"),
            )
        finally:
            lifecycle.remove(Layout.from_env())


@contextmanager
def _directory(path: Path) -> Iterator[None]:
    """Where everything of Keyturn in this process looks for its sandbox."""
    before = os.environ.get(DIRECTORY_VARIABLE)
    os.environ[DIRECTORY_VARIABLE] = str(path)
    try:
        yield
    finally:
        if before is None:
            del os.environ[DIRECTORY_VARIABLE]
        else:
            os.environ[DIRECTORY_VARIABLE] = before
