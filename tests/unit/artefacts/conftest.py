"""A small project with the real locks, and its zips built once: these tests ask about artefacts, not about rotation."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from artefacts.build import Artefact, build_all
from artefacts.table import EVERYWHERE, FUNCTIONS, GUARDED

CHECKOUT = Path(__file__).parents[3]
_HANDLER = (
    'from rotation.stores import {store}\n\n\ndef handle(event, context):\n    """Answer."""\n    return {store}.NAME\n'
)


def lay_project(root: Path) -> Path:
    """The smallest `rotation/` that the table accepts, and copies of the real locks."""
    shutil.copytree(CHECKOUT / "requirements", root / "requirements")
    for folder in ("", *GUARDED):
        (root / "rotation" / folder).mkdir(parents=True, exist_ok=True)
        (root / "rotation" / folder / "__init__.py").write_text('"""A package."""\n')
    owned = {pattern.replace("/*", "/part").replace("*", "") for function in FUNCTIONS for pattern in function.owned}
    shared = {pattern for pattern in EVERYWHERE if "*" not in pattern}
    for name in owned | shared:
        (root / "rotation" / name).write_text(f'"""{name}."""\n\nNAME = "{name}"\n')
    for store in ("aws", "vault", "gcp"):
        (root / "rotation" / "handlers" / f"{store}.py").write_text(_HANDLER.format(store=store))
    (root / "rotation" / "errors.py").write_text('"""Shared by all."""\n')
    return root


@pytest.fixture(scope="session")
def checkout() -> Path:
    return CHECKOUT


@pytest.fixture(scope="session")
def lay() -> Callable[[Path], Path]:
    """`lay_project`, for tests that want a second one."""
    return lay_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return lay_project(tmp_path / "project")


@pytest.fixture
def out(built_project: Path, tmp_path: Path) -> Path:
    """A place of its own for zips, beside the dependencies that the session has built already."""
    return built_project / "build" / tmp_path.name


@pytest.fixture(scope="session")
def built_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = lay_project(tmp_path_factory.mktemp("built") / "project")
    # the real locks have the real dependencies, which every worker of these tests, and whoever deploys, finds here
    kept = CHECKOUT / "build" / "function-dependencies"
    kept.mkdir(parents=True, exist_ok=True)
    (made / "build").mkdir()
    (made / "build" / "function-dependencies").symlink_to(kept)
    return made


@pytest.fixture(scope="session")
def built(built_project: Path) -> dict[str, Artefact]:
    return {artefact.name: artefact for artefact in build_all(built_project)}


@pytest.fixture(scope="session")
def unpacked(built: dict[str, Artefact], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder that the runtime would see for a function, unpacked on first request."""
    folder = tmp_path_factory.mktemp("unpacked")

    def unpack(name: str) -> Path:
        if not (folder / name).exists():
            with ZipFile(built[name].path) as archive:
                archive.extractall(folder / name)
        return folder / name

    return unpack
