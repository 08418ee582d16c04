"""A copy of what a user has: the project's files and built functions, with a sandbox in its usual place.

The command writes into the folder in which it runs (`encryptionsalt` in the stack's file), so tests work in a copy.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from artefacts.build import build_all
from sandbox import lifecycle
from sandbox.facts import Credentials, Facts
from sandbox.layout import CHECKOUT, Layout

_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "tests", "bench", "function-dependencies")


@dataclass(frozen=True, kw_only=True)
class Place:
    """The copy in `root`, and its sandbox, which is up."""

    root: Path
    layout: Layout
    facts: Facts

    @property
    def credentials(self) -> Credentials:
        return Credentials.load(self.layout.credentials)


@contextmanager
def copied() -> Iterator[Place]:
    """A copy with its sandbox; both are gone afterwards."""
    build_all(CHECKOUT)
    # below the temporary directory itself: every user may enter it, as the database's own has to
    top = Path(tempfile.mkdtemp(prefix="keyturn-test-"))
    top.chmod(0o755)
    root = top / "checkout"
    layout = Layout(root / ".sandbox")
    try:
        shutil.copytree(CHECKOUT, root, ignore=_LEFT_OUT)
        # Pulumi.yaml names it
        (root / ".venv").symlink_to(sys.prefix)
        yield Place(root=root, layout=layout, facts=lifecycle.up(layout))
    finally:
        lifecycle.down(layout)
        shutil.rmtree(top)
