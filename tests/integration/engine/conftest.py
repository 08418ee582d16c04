"""The project that every test of the engine works on."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty one, with an empty cloud."""
    return Project(tmp_path)
