"""Sandboxes in temporary directories, stopped and removed by the fixture that made them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox import lifecycle
from sandbox.layout import Layout


@contextmanager
def temporary_layout() -> Iterator[Layout]:
    # below the temporary directory itself: every user may enter it, pytest's own is closed to others
    top = Path(tempfile.mkdtemp(prefix="keyturn-test-"))
    top.chmod(0o755)
    made = Layout(top / "sandbox")
    try:
        yield made
    finally:
        lifecycle.down(made)
        shutil.rmtree(top)


@pytest.fixture
def layout() -> Iterator[Layout]:
    """A sandbox directory for one test."""
    with temporary_layout() as made:
        yield made


@pytest.fixture(scope="module")
def shared_layout() -> Iterator[Layout]:
    """A sandbox directory for the tests of one file."""
    with temporary_layout() as made:
        yield made


@pytest.fixture(autouse=True)
def _no_fixed_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEYTURN_SANDBOX_PORTS", raising=False)
