"""The command, run in this process against a model of control: what it printed and how it ended."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_bench import Command, Ended, PackageOf, PutModel
from control_model import ModelControl, Secret

import policies
from keyturn import connect, follow, tree
from keyturn.app import main
from keyturn.control import Control


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command line; a traceback anywhere is a failure of whichever test it is."""

    def run(*arguments: str) -> Ended:
        code = main(arguments)
        printed = capsys.readouterr()
        ended = Ended(code, printed.out, printed.err)
        assert "Traceback" not in ended.out + ended.err
        return ended

    return run


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> PackageOf:
    """Puts policies in the place of those of this checkout."""
    return lambda *given: monkeypatch.setattr(policies, "ALL", given)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> PutModel:
    """Put a model of these secrets where the command finds control."""

    def put(*secrets: Secret, read_only: bool = False) -> ModelControl:
        made = ModelControl(*secrets, read_only=read_only)
        control = Control(made)
        monkeypatch.setattr(connect, "control_of", lambda *_args, **_options: control)
        monkeypatch.setattr(tree, "digests", lambda _stack: {secret.name: secret.digest for secret in secrets})
        monkeypatch.setattr(follow, "_PAUSE_S", 0.0)
        return made

    return put


@pytest.fixture(autouse=True)
def _no_sandbox_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees a sandbox that happens to run, nor the debugging switch of who runs the tests."""
    monkeypatch.setenv("KEYTURN_SANDBOX_DIR", str(tmp_path / "sandbox"))
    monkeypatch.delenv("KEYTURN_DEBUG", raising=False)
