"""All or nothing up, one clear error for each way a sandbox can be, and always a way down."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Never

import pytest
from kernel_view import mentions, processes, records

from sandbox import lifecycle
from sandbox.errors import SandboxError
from sandbox.facts import Credentials, Facts
from sandbox.kernel import is_alive
from sandbox.layout import Layout
from sandbox.lifecycle import down, remove, status, up
from sandbox.parts.contract import Part, Request
from sandbox.parts.ministack import Ministack
from sandbox.parts.targets import TokenService, Verifier
from sandbox.processes import load

pytestmark = [pytest.mark.sandbox, pytest.mark.openbao, pytest.mark.postgres]

# quick to start, enough where it does not matter which parts there are
TWO = (TokenService(), Verifier())


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Sequence[Part]:
    """Two parts instead of all, and what they give as the whole of facts and credentials."""
    needed = [f for f in dataclasses.fields(Facts) if f.default is dataclasses.MISSING]
    given: dict[str, Any] = {f.name: 1 if f.type == "int" else f.name for f in needed}
    secret = {f.name: f.name for f in dataclasses.fields(Credentials)}
    monkeypatch.setattr(lifecycle, "Facts", _Filled(Facts, given))
    monkeypatch.setattr(lifecycle, "Credentials", _Filled(Credentials, secret))
    return TWO


class _Filled:
    def __init__(self, kind: type[Facts | Credentials], defaults: dict[str, Any]) -> None:
        self.load, self._kind, self._defaults = kind.load, kind, defaults

    def __call__(self, **given: Any) -> Facts | Credentials:
        return self._kind(**{**self._defaults, **given})


def test_a_second_up_starts_nothing_and_says_so(layout: Layout, two: Sequence[Part]) -> None:
    first = up(layout, parts=two)
    before = {running.process for running in records(layout)}
    second = up(layout, parts=two)
    assert second == dataclasses.replace(first, already_running=True)
    assert {running.process for running in records(layout)} == before


def test_a_second_up_in_the_other_lane_is_refused(layout: Layout, two: Sequence[Part]) -> None:
    up(layout, parts=two)
    with pytest.raises(SandboxError) as refused:
        up(layout, auth=True, parts=two)
    assert refused.value.reason == "sandbox_other_lane"


@pytest.mark.parametrize("name", ["token_service", "verifier"])
def test_a_sandbox_that_lost_a_part_is_half_up_and_the_part_is_named(
    layout: Layout, two: Sequence[Part], name: str
) -> None:
    up(layout, parts=two)
    victim = load(layout.process(name))
    os.kill(victim.process.pid, signal.SIGKILL)
    assert lifecycle.processes.wait_gone(victim.process, 5)
    assert {s.part: s.state for s in status(layout, two)}[name] == "stopped"
    with pytest.raises(SandboxError) as half:
        up(layout, parts=two)
    assert half.value.reason == "sandbox_half_up"
    assert name in half.value.message
    assert ({"token_service", "verifier"} - {name}).pop() not in half.value.message
    assert "keyturn sandbox down" in half.value.remedy
    assert len(down(layout, parts=two)) == 1
    assert up(layout, parts=two).already_running is False


def test_a_part_that_runs_and_does_not_answer_is_unhealthy_and_can_be_stopped(
    layout: Layout, two: Sequence[Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    up(layout, parts=two)
    monkeypatch.setattr("sandbox.wire.CALL_SECONDS", 0.2)
    frozen = load(layout.process("verifier")).process
    os.kill(frozen.pid, signal.SIGSTOP)
    state = {s.part: s for s in status(layout, two)}["verifier"]
    assert (state.state, state.pid) == ("unhealthy", frozen.pid)
    assert "TimeoutError" in state.problem
    with pytest.raises(SandboxError) as half:
        up(layout, parts=two)
    assert half.value.reason == "sandbox_half_up"
    monkeypatch.setattr("sandbox.processes.TERM_GRACE_SECONDS", 0.2)
    down(layout, parts=two)
    assert not is_alive(frozen)


def test_a_start_that_was_killed_half_way_is_half_up_and_down_cleans_it(layout: Layout, two: Sequence[Part]) -> None:
    up(layout, parts=two)
    layout.facts.unlink()
    with pytest.raises(SandboxError) as half:
        up(layout, parts=two)
    assert half.value.reason == "sandbox_half_up"
    found = processes(layout)
    down(layout, parts=two)
    assert [process for process in found if is_alive(process)] == []


def test_a_sandbox_that_died_whole_is_simply_started_again(layout: Layout, two: Sequence[Part]) -> None:
    first = up(layout, parts=two)
    for running in records(layout):
        os.kill(running.process.pid, signal.SIGKILL)
        assert lifecycle.processes.wait_gone(running.process, 5)
    again = up(layout, parts=two)
    assert again.already_running is False
    assert again != first


class Broken:
    """A part whose server ends with a message."""

    name = "broken"
    needs_port = False

    def start(self, request: Request) -> Never:
        running = lifecycle.processes.start(
            lifecycle.processes.Server(
                name=self.name,
                argv=["sh", "-c", "echo disk on fire; exit 1"],
                environment={"PATH": "/usr/bin:/bin"},
                directory=request.layout.run,
                log=request.layout.log(self.name),
                record=request.layout.process(self.name),
            )
        )
        lifecycle.processes.wait_ready(running, lambda: "not there")
        raise AssertionError

    def problem(self, facts: Facts, credentials: Credentials) -> str:
        return "broken"

    def address(self, facts: Facts) -> str:
        return ""


class Interrupted(Broken):
    """A part during whose start the user presses Ctrl-C."""

    def start(self, request: Request) -> Never:
        raise KeyboardInterrupt


@pytest.mark.parametrize(("part", "error"), [(Broken(), SandboxError), (Interrupted(), KeyboardInterrupt)])
def test_if_one_part_does_not_start_the_others_are_stopped_again(
    layout: Layout, two: Sequence[Part], part: Part, error: type[BaseException]
) -> None:
    with pytest.raises(error) as failed:
        up(layout, parts=(*two, part))
    if error is SandboxError:
        assert failed.value.reason == "part_failed"
        assert "disk on fire" in failed.value.message
        assert "disk on fire" in layout.log("broken").read_text()
    assert mentions(str(layout.root)) == []
    assert not layout.facts.exists()
    assert not layout.run.exists()


@pytest.mark.parametrize("command", [up, down])
def test_while_one_command_changes_the_sandbox_another_is_refused(
    layout: Layout, two: Sequence[Part], command: Callable[..., object]
) -> None:
    layout.claim()
    with layout.lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(SandboxError) as busy:
            command(layout, parts=two)
    assert busy.value.reason == "sandbox_busy"


def test_of_two_starts_at_once_one_starts_and_the_other_starts_nothing(layout: Layout, two: Sequence[Part]) -> None:
    results = []

    def begin() -> None:
        try:
            results.append(up(layout, parts=two).already_running)
        except SandboxError as exc:
            results.append(exc.reason)

    threads = [threading.Thread(target=begin) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count(False) == 1
    # the other one came during the start or after it
    assert set(results) - {False} <= {"sandbox_busy", True}
    assert len(records(layout)) == len(two)


def test_down_without_a_sandbox_is_success_and_makes_nothing(layout: Layout) -> None:
    assert down(layout) == []
    remove(layout)
    assert {s.state for s in status(layout)} == {"stopped"}
    assert not layout.root.exists()


def test_remove_never_removes_a_directory_that_no_sandbox_made(layout: Layout) -> None:
    layout.root.mkdir()
    (layout.root / "thesis.txt").write_text("mine")
    with pytest.raises(SandboxError) as refused:
        remove(layout)
    assert refused.value.reason == "not_a_sandbox"
    assert (layout.root / "thesis.txt").read_text() == "mine"
    (layout.root / "thesis.txt").unlink()


def test_without_the_emulators_environment_it_says_how_to_make_it(layout: Layout, tmp_path: Path) -> None:
    bare = dataclasses.replace(layout, cloud_python=tmp_path / "absent")
    with pytest.raises(SandboxError) as missing:
        up(bare, parts=(Ministack(),))
    assert (missing.value.reason, missing.value.remedy) == ("environment_missing", "run `make env`")
