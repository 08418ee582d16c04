"""A zip is made once for what it is made of, and again whenever any of that, or the zip itself, is another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from artefacts import build as building
from artefacts import bytecode
from artefacts.build import build
from artefacts.table import FUNCTIONS

CONTROL = FUNCTIONS[-1]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the zips that were written."""
    names: list[str] = []
    real = building.write_zip

    def written(path: Path, members: dict[str, bytes], base: Path | None = None) -> None:
        names.append(path.name)
        real(path, members, base)

    monkeypatch.setattr(building, "write_zip", written)
    return names


def test_an_unchanged_zip_is_kept_and_told_as_it_was_when_it_was_made(
    project: Path, out: Path, made: list[str]
) -> None:
    first = build(CONTROL, project, out)
    assert build(CONTROL, project, out) == first
    assert made == ["control.zip"]


def test_a_changed_source_is_another_zip_and_the_former_source_the_former_one(project: Path, out: Path) -> None:
    module = project / "rotation/errors.py"
    before = module.read_text()
    first = build(CONTROL, project, out)
    module.write_text('"""Changed."""\n')
    assert build(CONTROL, project, out).sha256 != first.sha256
    module.write_text(before)
    assert build(CONTROL, project, out) == first


@pytest.mark.parametrize("damage", [b"", b"PK"])
def test_a_zip_that_somebody_changed_is_made_again(project: Path, out: Path, damage: bytes) -> None:
    first = build(CONTROL, project, out)
    first.path.write_bytes(damage)
    assert build(CONTROL, project, out) == first
    assert first.path.stat().st_size == first.bytes


@pytest.mark.parametrize("note", ["", "[]", "{}", '{"made_of": 1, "sha256": 2}'])
def test_a_note_that_says_nothing_keeps_nothing(project: Path, out: Path, made: list[str], note: str) -> None:
    first = build(CONTROL, project, out)
    (out / ".control.zip.note").write_text(note)
    assert build(CONTROL, project, out) == first
    assert made == ["control.zip"] * 2


def test_byte_code_that_can_no_longer_be_made_is_not_kept(
    project: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(CONTROL, project, out)
    monkeypatch.setattr(bytecode, "is_possible", lambda: False)
    monkeypatch.setattr(building, "bundle", lambda *_: next(out.parent.glob("function-dependencies/control-*.zip")))
    assert build(CONTROL, project, out).source_or_bytecode == "source"


def test_of_several_who_ask_at_once_one_makes_the_zip(project: Path, out: Path, made: list[str]) -> None:
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(build, CONTROL, project, out) for _ in range(4)]
        assert len({each.result().sha256 for each in asked}) == 1
    assert made == ["control.zip"]
