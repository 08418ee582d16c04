"""The same sources give the same bytes, wherever they lie and whoever builds them."""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import MAGIC_NUMBER, source_hash
from pathlib import Path
from types import CodeType
from zipfile import ZipFile

import pytest

from artefacts import bytecode
from artefacts.build import Artefact, build, build_all
from artefacts.table import FUNCTIONS

CONTROL = FUNCTIONS[-1]
_DIGESTS = (
    "import sys, pathlib; from artefacts.build import build_all\n"
    "for made in build_all(pathlib.Path(sys.argv[1])): print(made.name, made.sha256)"
)


def _build_elsewhere(root: Path, checkout: Path, seed: str) -> dict[str, str]:
    """Digests from a build by another process with another hash seed."""
    environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(checkout), "UNRELATED": "x" * 99}
    command = [sys.executable, "-c", _DIGESTS, str(root)]
    done = subprocess.run(  # noqa: S603 - this interpreter, on a constant script
        command, env=environment, capture_output=True, text=True, timeout=300, check=True
    )
    return dict(line.split() for line in done.stdout.splitlines())


def test_two_copies_in_different_directories_build_the_same_bytes(
    built: dict[str, Artefact], lay: Callable[[Path], Path], checkout: Path, tmp_path: Path
) -> None:
    copy = lay(tmp_path / "a" / "much" / "deeper" / "directory")
    for path in copy.rglob("*.py"):
        path.chmod(0o600)
        os.utime(path, (1_000_000_000, 1_000_000_000))
    assert _build_elsewhere(copy, checkout, seed="7") == {name: artefact.sha256 for name, artefact in built.items()}


def test_a_second_build_reuses_the_dependencies_and_writes_the_same_bytes(
    built: dict[str, Artefact], built_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("artefacts.dependencies._install", None)
    for artefact in built.values():
        artefact.path.unlink()
    assert {made.name: made.sha256 for made in build_all(built_project)} == {
        name: artefact.sha256 for name, artefact in built.items()
    }


def test_another_lock_is_another_set_of_dependencies(project: Path) -> None:
    out = project / "build/functions"
    build(CONTROL, project, out)
    with (project / CONTROL.lock).open("a") as lock:
        lock.write("# changed\n")
    build(CONTROL, project, out)
    assert len(list((project / "build/function-dependencies").glob("control-*.zip"))) == 2


def test_a_changed_source_changes_the_digest(built: dict[str, Artefact], project: Path, out: Path) -> None:
    (project / "rotation/errors.py").write_text('"""Shared by all, changed."""\n')
    assert build(CONTROL, project, out).sha256 != built["control"].sha256


def test_every_entry_has_the_fixed_time_and_permissions_and_each_part_is_in_order(built: dict[str, Artefact]) -> None:
    for artefact in built.values():
        with ZipFile(artefact.path) as archive:
            entries = archive.infolist()
        assert {(entry.date_time, entry.external_attr >> 16) for entry in entries} == {
            ((1980, 1, 1, 0, 0, 0), 0o100644)
        }
        names = [entry.filename for entry in entries]
        assert len(names) == len(set(names))
        own = [name for name in names if name.startswith("rotation/")]
        assert names == sorted(set(names) - set(own)) + sorted(own)


def test_sources_in_the_zip_equal_the_trees(built: dict[str, Artefact], built_project: Path) -> None:
    for artefact in built.values():
        with ZipFile(artefact.path) as archive:
            sources = [name for name in archive.namelist() if name.startswith("rotation/") and name.endswith(".py")]
            assert len(sources) > 5
            assert all(archive.read(name) == (built_project / name).read_bytes() for name in sources)


def test_byte_code_lies_beside_every_source_unchecked_and_names_no_directory_of_the_builder(
    built: dict[str, Artefact],
) -> None:
    with ZipFile(built["control"].path) as archive:
        for name in [name for name in archive.namelist() if name.endswith(".py")]:
            folder, _, stem = name.removesuffix(".py").rpartition("/")
            compiled = archive.read(f"{folder}/__pycache__/{stem}.cpython-311.pyc".removeprefix("/"))
            assert compiled[:8] == MAGIC_NUMBER + b"\x01\0\0\0"
            assert compiled[8:16] == source_hash(archive.read(name))
            code = marshal.loads(compiled[16:])  # noqa: S302 - made by this build
            assert isinstance(code, CodeType)
            assert code.co_filename == name


def test_another_interpreter_than_the_runtimes_ships_sources_only_and_says_so(
    project: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bytecode, "is_possible", lambda: False)
    artefact = build(CONTROL, project, out)
    assert artefact.source_or_bytecode == "source"
    with ZipFile(artefact.path) as archive:
        assert not [name for name in archive.namelist() if name.endswith(".pyc")]
