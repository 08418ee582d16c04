"""An interrupt ends with one line and 130 at any time: while the command is imported, and while a sandbox is made."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Never

import pytest
from command_bench import SANDBOX, Command

from keyturn import bring_up
from keyturn.stack import ROOT
from sandbox import deploy, lifecycle
from sandbox.layout import Layout

# Interrupts the process, by the signal that a keyboard sends, at the moment when `typer` is imported.
_INTERRUPTED_IMPORT = f"""
import os, runpy, sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            os.kill(os.getpid(), {int(signal.SIGINT)})
sys.meta_path.insert(0, Interrupt())
runpy.run_module("keyturn", run_name="__main__")
"""


def interrupt(*_args: Any, **_options: Any) -> Never:
    raise KeyboardInterrupt


def servers_up(directory: Path, *, applied: bool) -> Callable[..., Any]:
    """What `lifecycle.up` leaves in the sandbox's directory."""

    def up(layout: Layout, **_options: Any) -> Any:
        layout.run.mkdir(parents=True, exist_ok=True)
        SANDBOX.save(directory / "facts.json")
        if applied:
            layout.applied.touch()
        return SANDBOX

    return up


def test_an_interrupt_while_the_command_is_imported_is_one_line_without_a_traceback() -> None:
    done = subprocess.run(  # noqa: S603  # our own
        [sys.executable, "-c", _INTERRUPTED_IMPORT], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 130
    assert done.stderr == "interrupted: reason interrupted, exit code 130\n"


@pytest.mark.parametrize("verb", [["sandbox", "up"], ["demo"]], ids=" ".join)
def test_an_interrupt_while_servers_start_says_that_none_is_left(
    command: Command, monkeypatch: pytest.MonkeyPatch, verb: list[str]
) -> None:
    monkeypatch.setattr(bring_up, "check_files", lambda: None)
    monkeypatch.setattr(lifecycle, "up", interrupt)
    ended = command(*verb)
    assert ended.code == 130
    assert "interrupted: no server is left running\nnext: `keyturn sandbox up`" in ended.err


@pytest.mark.parametrize("verb", [["sandbox", "up"], ["demo"]], ids=" ".join)
def test_an_interrupt_while_the_program_is_applied_says_that_the_servers_are_left_and_how_to_go_on(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verb: list[str]
) -> None:
    monkeypatch.setattr(bring_up, "check_files", lambda: None)
    monkeypatch.setattr(lifecycle, "up", servers_up(tmp_path / "sandbox", applied=False))
    monkeypatch.setattr(deploy, "deploy", interrupt)
    ended = command(*verb)
    assert ended.code == 130
    assert "interrupted: the servers are up, the stack is not applied\nnext: `keyturn sandbox up` goes on" in ended.err
    assert "`keyturn sandbox down` stops the servers" in ended.err


def test_a_deployment_that_is_interrupted_takes_back_that_the_stack_is_applied(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    layout = Layout(tmp_path / "sandbox")
    servers_up(layout.root, applied=True)(layout)
    monkeypatch.setattr(deploy, "build_all", interrupt)
    with pytest.raises(KeyboardInterrupt):
        deploy.deploy(layout, SANDBOX, lambda _: None)
    assert not layout.applied.exists()
