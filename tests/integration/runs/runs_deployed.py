"""A sandbox of one's own with the program of stack `local`, stopped and removed when its tests are done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from runs_stack import PREFIX, Stack

from sandbox import lifecycle
from sandbox.deploy import deploy
from sandbox.facts import Credentials
from sandbox.layout import Layout


@contextmanager
def deployed(root: Path, *, auth: bool) -> Iterator[Stack]:
    """The deployed stack in `root`. `auth`: its AWS enforces policies."""
    layout = Layout(root)
    try:
        facts = lifecycle.up(layout, auth=auth)
        made = deploy(layout, facts, lambda _: None)
        known = Credentials.load(layout.credentials)
        stack = Stack(layout=layout, facts=facts, credentials=known, outputs=made.outputs)
        # only the tests start runs: the sweep would end an overlap while a test looks at it
        stack.aws("scheduler").delete_schedule(Name=f"{PREFIX}-sweep")
        yield stack
        stack.close()
    finally:
        lifecycle.remove(layout)


def root_of(factory: pytest.TempPathFactory, name: str) -> Path:
    """A directory for a sandbox."""
    return factory.mktemp(name) / "sandbox"
