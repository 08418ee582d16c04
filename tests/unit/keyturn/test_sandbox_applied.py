"""Servers that are up without the whole stack: `sandbox status` says so, and `sandbox up` goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from command_bench import SANDBOX, Command

from keyturn import bring_up
from sandbox import deploy, lifecycle
from sandbox.facts import Credentials, Facts
from sandbox.layout import Layout

RUNNING = [lifecycle.PartStatus(part="postgres", state=lifecycle.RUNNING, pid=1)]


@pytest.fixture
def layout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Layout:
    """A sandbox whose servers run, as far as anybody can tell."""
    made = Layout(tmp_path / "sandbox")
    made.run.mkdir(parents=True)
    monkeypatch.setattr(bring_up, "check_files", lambda: None)
    monkeypatch.setattr(lifecycle, "up", lambda *_args, **_options: replace(SANDBOX, already_running=True))
    monkeypatch.setattr(lifecycle, "status", lambda _layout: RUNNING)
    return made


def test_status_tells_servers_without_the_stack_from_a_sandbox_that_is_up(command: Command, layout: Layout) -> None:
    ended = command("sandbox", "status")
    assert ended.code == 19
    assert "servers up, stack not applied: `keyturn sandbox up` goes on applying" in ended.err
    document = command("sandbox", "status", "--json").document
    assert (document["ok"], document["applied"]) == (False, False)
    layout.applied.touch()
    assert command("sandbox", "status").code == 0


def test_up_goes_on_applying_where_an_earlier_one_did_not_come_to_its_end(
    command: Command, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deployed(where: Layout, _facts: Facts, _tell: object) -> deploy.Deployed:
        where.applied.touch()
        return deploy.Deployed(operations={"create": 7, "same": 3}, outputs={}, declared_only={})

    monkeypatch.setattr(deploy, "deploy", deployed)
    ended = command("sandbox", "up")
    assert ended.code == 0
    assert "the sandbox is up: create 7, same 3" in ended.out
    assert command("sandbox", "up").code == 14


def test_a_deployment_that_came_to_its_end_is_remembered(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing:
        resources: tuple[object, ...] = ()
        ops: dict[str, str] = {}  # noqa: RUF012  # never changed
        outputs: dict[str, object] = {}  # noqa: RUF012  # never changed

    for name in ("build_all", "put_authorities", "put_publisher", "make_export_user", "welcome_consumers"):
        monkeypatch.setattr(deploy, name, lambda *_args: None)
    monkeypatch.setattr(Credentials, "load", lambda _path: None)
    monkeypatch.setattr(deploy, "apply_program", lambda *_args: Nothing())
    deploy.deploy(layout, SANDBOX, lambda _: None)
    assert layout.applied.exists()
