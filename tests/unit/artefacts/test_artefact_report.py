"""The command: sizes, digests and ratios, each refusal with its exit code; a budget is enforced only when asked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from artefacts import __main__ as command
from artefacts.build import Artefact
from artefacts.cold_import import BUDGET, ColdImport, measure
from artefacts.table import FUNCTIONS, Function
from rotation.errors import Refused

CONTROL = FUNCTIONS[-1]


def _invoke(project: Path, out: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command.app, [*arguments, "--root", str(project), "--out", str(out)])
    return result.exit_code, result.stdout


@pytest.fixture
def pretended_times(monkeypatch: pytest.MonkeyPatch) -> dict[str, ColdImport]:
    """Times by function name, instead of measured ones."""
    times = {function.name: ColdImport(handler_s=(0.11,), sdks_s=(0.1,)) for function in FUNCTIONS}

    def pretend(function: Function, artefact: Artefact, runs: int) -> ColdImport:
        assert artefact.path.is_file()
        assert runs > 0
        return times[function.name]

    monkeypatch.setattr(command, "measure", pretend)
    return times


def test_build_prints_the_digest_of_every_function(built: dict[str, Artefact], project: Path, out: Path) -> None:
    code, printed = _invoke(project, out, "build", "--json")
    assert code == 0
    assert {row["name"]: row["sha256"] for row in json.loads(printed)} == {
        name: artefact.sha256 for name, artefact in built.items()
    }


def test_report_prints_sizes_and_ratios(project: Path, out: Path, pretended_times: dict[str, ColdImport]) -> None:
    code, printed = _invoke(project, out, "report")
    assert code == 0
    assert len(pretended_times) == printed.count("ratio 1.10") == printed.count("MB zipped")
    assert "all within" in printed


@pytest.mark.parametrize(("arguments", "expected"), [((), 0), (("--enforce",), command.OVER_BUDGET)])
def test_a_ratio_over_the_budget_is_said_and_fails_only_when_enforced(
    arguments: Sequence[str], expected: int, project: Path, out: Path, pretended_times: dict[str, ColdImport]
) -> None:
    pretended_times["vault"] = ColdImport(handler_s=(0.13,), sdks_s=(0.1,))
    code, printed = _invoke(project, out, "report", "--json", *arguments)
    told = json.loads(printed)
    assert (code, told["budget"], told["over_budget"]) == (expected, BUDGET, ["vault"])
    assert [row["within_budget"] for row in told["functions"]] == [True, False, True, True]


def test_a_cold_import_is_measured_in_fresh_processes_from_the_zip_alone(built: dict[str, Artefact]) -> None:
    times = measure(CONTROL, built["control"], runs=3)
    assert len(times.handler_s) == len(times.sdks_s) == 3
    assert min(times.handler_s + times.sdks_s) > 0


def test_the_ratio_is_the_median_over_neighbouring_pairs() -> None:
    assert ColdImport(handler_s=(1.0, 4.0, 3.0), sdks_s=(1.0, 1.0, 1.5)).ratio == 2.0


def test_a_handler_that_cannot_be_imported_from_its_zip_is_refused_with_the_reason(
    built: dict[str, Artefact],
) -> None:
    with pytest.raises(Refused, match=r"No module named 'rotation\.handlers\.vault'") as refusal:
        measure(FUNCTIONS[1], built["control"], runs=1)
    assert refusal.value.reason == "handler_fails"


def test_a_missing_module_ends_the_command_with_one_line_and_its_own_exit_code(
    project: Path, out: Path, checkout: Path
) -> None:
    (project / "rotation/handlers/aws.py").unlink()
    line = [sys.executable, "-m", "artefacts", "build", "--root", str(project), "--out", str(out)]
    done = subprocess.run(  # noqa: S603 - this interpreter, on this package
        line, cwd=checkout, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == command.COULD_NOT_BUILD
    assert "rotation/handlers/aws.py" in done.stderr
    assert "[module_missing]" in done.stderr
    assert len(done.stderr.splitlines()) == 1
