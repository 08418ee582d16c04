"""Servers outlive their starter and are stopped by identity: never a stranger, never only half."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.kernel import Process, family, is_alive, look, send, wait_gone
from sandbox.processes import Running, Server, load, start, stop, tail, wait_ready

# ignores TERM, has a child in its group and one in a session of its own, says when all are there
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
inside = subprocess.Popen(["sleep", "600"])
apart = subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)
print(inside.pid, apart.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def server(tmp_path: Path) -> Callable[..., Server]:
    def make(*argv: str) -> Server:
        return Server(
            name="example",
            argv=list(argv),
            environment={"PATH": "/usr/bin:/bin"},
            directory=tmp_path,
            log=tmp_path / "logs" / "example.log",
            record=tmp_path / "example.process.json",
        )

    return make


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["/bin/sleep", "600"], start_new_session=True) as child:
        yield child
        child.kill()


def test_a_server_has_its_own_session_and_a_private_log_and_stops(server: Callable[..., Server]) -> None:
    running = start(server("sleep", "600"))
    entry = look(running.process.pid)
    assert entry is not None
    assert entry.session == entry.group == running.process.pid
    assert entry.session != os.getsid(0)
    assert stat.S_IMODE(running.log.stat().st_mode) == 0o600
    stop(running)
    assert not is_alive(running.process)


def test_the_record_names_the_same_server_for_another_command(server: Callable[..., Server]) -> None:
    wanted = server("sleep", "600")
    running = start(replace(wanted, stop_signal=signal.SIGINT))
    assert load(wanted.record) == running
    stop(running)


def test_a_server_inherits_nothing_of_the_starters_environment(
    server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "marker-of-the-user")
    running = start(server("sh", "-c", "env; exec sleep 600"))
    wait_ready(running, lambda: "" if "PATH=" in tail(running.log) else "nothing printed yet")
    assert "marker-of-the-user" not in tail(running.log)
    stop(running)


def test_a_process_that_got_the_number_of_a_stopped_server_is_never_signalled(
    stranger: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    reused = Process(stranger.pid, look(stranger.pid).process.born + "0")
    stop(Running(name="example", process=reused, log=tmp_path / "log"))
    send(reused, signal.SIGKILL)
    assert family(reused) == []
    assert stranger.poll() is None


def test_a_record_from_before_a_reboot_names_nobody(stranger: subprocess.Popen[bytes]) -> None:
    ticks = look(stranger.pid).process.born.partition(":")[2]
    other_boot = Process(stranger.pid, f"another-boot:{ticks}")
    assert not is_alive(other_boot)
    assert family(other_boot) == []


def test_a_stop_ends_a_server_that_ignores_term_and_all_that_it_started(
    server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.processes.TERM_GRACE_SECONDS", 0.1)
    running = start(server(sys.executable, "-c", STUBBORN))
    wait_ready(running, lambda: "" if tail(running.log) else "its children are not there yet")
    children = [look(int(pid)).process for pid in tail(running.log).split()]
    assert {*children} == {*family(running.process)}
    stop(running)
    assert not any(is_alive(process) for process in (running.process, *children))


def test_children_of_a_server_that_died_are_stopped_all_the_same(server: Callable[..., Server]) -> None:
    running = start(server("sh", "-c", "sleep 600 & echo $!; exec sleep 600"))
    wait_ready(running, lambda: "" if tail(running.log) else "its child is not there yet")
    child = look(int(tail(running.log))).process
    os.kill(running.process.pid, signal.SIGKILL)
    assert wait_gone(running.process, 5)
    assert is_alive(child)
    stop(running)
    assert not is_alive(child)


def test_stopping_twice_is_success(server: Callable[..., Server]) -> None:
    running = start(server("sleep", "600"))
    stop(running)
    stop(running)


def test_a_server_that_ends_while_it_starts_is_told_with_the_end_of_its_log(server: Callable[..., Server]) -> None:
    running = start(server("sh", "-c", "echo first; echo no such disk; exit 3"))
    with pytest.raises(SandboxError) as failed:
        wait_ready(running, lambda: "not there")
    assert failed.value.reason == "part_failed"
    assert "no such disk" in failed.value.message
    stop(running)


def test_a_server_that_is_never_ready_is_told_with_what_is_wrong(server: Callable[..., Server]) -> None:
    running = start(server("sleep", "600"))
    with pytest.raises(SandboxError) as late:
        wait_ready(running, lambda: "it answers 503", seconds=0.05)
    assert late.value.reason == "part_not_ready"
    assert "it answers 503" in late.value.message
    stop(running)


def test_a_missing_program_is_one_clear_error(server: Callable[..., Server]) -> None:
    with pytest.raises(SandboxError) as missing:
        start(server("/nowhere/program"))
    assert missing.value.reason == "part_not_startable"
    assert missing.value.remedy == "run `make env`"


@pytest.mark.parametrize("content", ["", "{}", '{"name": "x", "process": {}, "log": "", "stop_signal": 15}'])
def test_a_damaged_record_is_an_error_and_not_a_server_that_never_ran(tmp_path: Path, content: str) -> None:
    (tmp_path / "record").write_text(content)
    with pytest.raises(SandboxError) as damaged:
        load(tmp_path / "record")
    assert damaged.value.reason == "sandbox_damaged"
    assert load(tmp_path / "absent") is None


def test_only_the_end_of_a_long_log_is_shown(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("\n".join(f"line {n}" for n in range(100)))
    assert tail(tmp_path / "log", lines=2) == "line 98\nline 99"
    assert tail(tmp_path / "absent") == ""
