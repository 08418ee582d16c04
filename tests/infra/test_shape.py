"""What keeps the program reviewable: small constructors, honest component types, nothing declared out of sight."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.config import ROOT

FILES = sorted(path for package in ("infra", "bootstrap") for path in (ROOT / package).glob("*.py"))
# No function of the program is longer: a constructor that grows becomes two components.
LONGEST = 40
USUAL = 25


def functions() -> Iterator[tuple[str, int]]:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.end_lineno:
                yield f"{path.name}:{node.name}", node.end_lineno - node.lineno + 1


def components() -> Iterator[tuple[Path, ast.ClassDef]]:
    for path in FILES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and any("ComponentResource" in ast.unparse(base) for base in node.bases):
                yield path, node


def test_functions_stay_short() -> None:
    lengths = dict(functions())
    assert max(lengths.values()) <= LONGEST, max(lengths, key=lambda name: lengths[name])
    usual = [name for name, lines in lengths.items() if lines <= USUAL]
    assert len(usual) >= 0.9 * len(lengths)


def test_files_stay_small() -> None:
    sizes = sorted(len(path.read_text().splitlines()) for path in FILES)
    assert sizes[-1] <= 300
    assert sizes[len(sizes) // 2] <= 120


def test_a_component_has_its_own_file_its_type_token_its_args_and_registers_its_outputs_last() -> None:
    found = list(components())
    assert len(found) >= 15
    assert len({path for path, _ in found}) == len(found)
    for path, node in found:
        body = path.read_text()
        assert f'super().__init__("keyturn:{path.parent.name}:{node.name}", name, None, opts)' in body, path.name
        assert f"@dataclass(frozen=True, kw_only=True)\nclass {node.name}Args:" in body, path.name
        (constructor,) = [one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
        assert "register_outputs" in ast.unparse(constructor.body[-1]), path.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_nothing_is_declared_inside_apply(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)]
    assert not [node for node in calls if node.attr == "apply"]


def test_only_the_configuration_reads_pulumi_config() -> None:
    readers = [path.relative_to(ROOT).as_posix() for path in FILES if "pulumi.Config(" in path.read_text()]
    assert readers == ["infra/config.py"]
