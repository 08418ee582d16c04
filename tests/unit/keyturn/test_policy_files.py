"""A policy that cannot be imported is told with file and line, a mistyped one with its field: wrong policies, both."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from command_bench import Command, PackageOf

from keyturn.exits import Exit
from keyturn.options import complete_secrets
from policies import PAYMENTS_POSTGRES


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `policies` in front of this checkout's, whose one file is to be written by the test."""
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "__init__.py").write_text("from policies.spoilt import ALL\n")
    for name in [name for name in sys.modules if name.partition(".")[0] == "policies"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    return folder / "spoilt.py"


SPOILT = {
    "no Python": ("ALL = ()\nx = (\n", "'(' was never closed"),
    "a name that is not there": ("ALL = ()\nx = postgress\n", "NameError: name 'postgress' is not defined"),
    "a module that is not there": ("ALL = ()\nimport rotation.polices\n", "No module named 'rotation.polices'"),
    "refused by its type": (
        "from rotation.errors import Refused\nraise Refused('odd', 'overlap is negative', 'mend it')\n",
        "overlap is negative: mend it",
    ),
}


@pytest.mark.parametrize("verb", [["sandbox", "up"], ["demo"]], ids=" ".join)
@pytest.mark.parametrize(("text", "problem"), SPOILT.values(), ids=SPOILT)
def test_a_policy_file_that_cannot_be_imported_is_a_wrong_policy_with_its_place(
    command: Command, written: Path, verb: list[str], text: str, problem: str
) -> None:
    written.write_text(text)
    ended = command(*verb)
    assert ended.code == 11
    for told in ("policies/spoilt.py:2: ", problem, "reason bad_policies, exit code 11", "correct policies/"):
        assert told in ended.err
    assert "defect of keyturn" not in ended.err


def test_every_policy_file_that_cannot_be_imported_is_told_at_once(command: Command, written: Path) -> None:
    written.write_text("ALL = ()\nx = postgress\n")
    (written.parent / "other.py").write_text("import rotation.polices\n")
    (written.parent / "good.py").write_text("from rotation.policy import Policy\n")
    ended = command("policy", "lint")
    assert ended.code == 11
    assert "policies/spoilt.py:2: NameError: name 'postgress' is not defined" in ended.err
    assert "policies/other.py:1: ModuleNotFoundError: No module named 'rotation.polices'" in ended.err
    assert "good.py" not in ended.err
    assert ended.err.count("spoilt.py") == 1


def test_the_shell_completes_nothing_from_policies_that_cannot_be_imported(written: Path) -> None:
    written.write_text("x = (\n")
    assert complete_secrets("") == []


MISTYPED = {
    "text for a number": replace(PAYMENTS_POSTGRES, overlap_s="86400"),  # type: ignore[arg-type]
    "a forgotten comma": replace(PAYMENTS_POSTGRES, freezes=PAYMENTS_POSTGRES.freezes[0]),  # type: ignore[arg-type]
    "a number for a name": replace(PAYMENTS_POSTGRES, name=7),  # type: ignore[arg-type]
    "a dictionary": replace(PAYMENTS_POSTGRES, window={"opens": 8}),  # type: ignore[arg-type]
    "a comma too many": (PAYMENTS_POSTGRES,),
}


@pytest.mark.parametrize("verb", [["lint"], ["show"], ["show", "payments/postgres"], ["explain", "payments/postgres"]])
@pytest.mark.parametrize("given", MISTYPED.values(), ids=MISTYPED)
def test_a_mistyped_policy_is_a_wrong_policy_and_no_defect_of_the_command(
    command: Command, listed: PackageOf, verb: list[str], given: object
) -> None:
    listed(given)
    ended = command("policy", *verb)
    assert ended.code == Exit.BAD_POLICY
    assert "[field-type]" in ended.out + ended.err
