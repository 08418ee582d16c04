"""The library alone, from its own page: a fresh environment, the wheel as it is built, the ten lines as they stand.

What the wheel says that it needs is put beside it from this environment, and nothing else is there: no index is asked,
and what the library used without saying so would be missing. It runs against the deployed stack, with the variables
that the sandbox has for consumers.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from runs_credentials import POSTGRES
from runs_service import given
from runs_stack import Stack

pytestmark = pytest.mark.sandbox

_ROOT = Path(__file__).parents[3]
_PAGE = _ROOT / "docs" / "client.md"
_LINES = 10
_PATIENCE_S = 120
# The extras that the page installs for its ten lines.
EXTRAS = ("aws", "redis")
# What the rest of the project is and uses.
OTHERS = ("rotation", "infra", "sandbox", "policies", "pulumi", "typer", "rich", "pydantic", "hvac", "psycopg")


def needed(name: str, extras: tuple[str, ...]) -> Iterator[Requirement]:
    """What a distribution says that it needs here."""
    for text in distribution(name).requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield requirement


def closure(asked: list[Requirement]) -> set[str]:
    """Everything that these need, with what those need."""
    found = set[str]()
    while asked:
        requirement = asked.pop()
        name = canonicalize_name(requirement.name)
        if name not in found:
            found.add(name)
            asked += needed(name, tuple(requirement.extras))
    return found


def put(name: str, site: Path) -> None:
    """A distribution of this environment into another."""
    made = distribution(name)
    for part in {file.parts[0] for file in made.files or ()} - {"..", "__pycache__"}:
        if not (site / part).exists():
            (site / part).symlink_to(Path(str(made.locate_file(part))))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the library, its two extras, and what they say that they need."""
    folder = tmp_path_factory.mktemp("alone") / "environment"
    venv.create(folder, with_pip=False)
    interpreter = folder / "bin" / "python"
    (site,) = folder.glob("lib/python*/site-packages")
    install = ["pip", "install", "--quiet", "--offline", "--no-index", "--no-deps", "--no-cache"]
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, *install, "--python", interpreter, _ROOT / "packages" / "client"], check=True)  # noqa: S603
    (metadata,) = site.glob("keyturn_client-*.dist-info/METADATA")
    said = [Requirement(text) for text in re.findall(r"^Requires-Dist: (.+)$", metadata.read_text(), re.MULTILINE)]
    wanted = [one for one in said if one.marker is None or any(one.marker.evaluate({"extra": e}) for e in EXTRAS)]
    for name in closure(wanted):
        put(name, site)
    return interpreter


def run(interpreter: Path, code: str, environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the page's own lines
        [interpreter, "-I", "-c", code],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )


def test_the_ten_lines_of_the_page_work_against_the_sandbox_with_the_library_alone(
    alone: Path, settled: Stack, tmp_path: Path
) -> None:
    found = re.search(r"## Ten lines.*?```python\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    assert len([line for line in found[1].splitlines() if line]) == _LINES
    done = run(alone, found[1], {**given(settled), "PATH": os.defpath}, tmp_path)

    assert done.returncode == 0, done.stderr
    version = settled.head(POSTGRES.name)["current"]["id"]
    fields = "['dbname', 'engine', 'host', 'password', 'port', 'username']"
    assert done.stdout == f"{version} {fields} Value(***)\n"


def test_nothing_else_of_the_project_is_in_that_environment(alone: Path, tmp_path: Path) -> None:
    code = f"from importlib.util import find_spec\nprint([name for name in {OTHERS!r} if find_spec(name)])"
    assert run(alone, code, {"PATH": os.defpath}, tmp_path).stdout == "[]\n"
