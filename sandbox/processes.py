"""Starting servers that outlive their starter, and stopping exactly those again.

A server gets its own session, its own log and no terminal, so that it stays when the command ends. Its identity
(`kernel.Process`) is written down at once, so that a start that is killed half-way can still be cleaned up.
Stopping goes by that identity, never by name, and includes what the server itself started: the emulator's workers
would outlive it by a second or two. What is deliberately not here: which servers there are (`parts/`).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from sandbox.errors import SandboxError
from sandbox.facts import write_atomically
from sandbox.kernel import Process, family, is_alive, look_also_dead, send, wait_gone

# lines that show why a server failed without hiding what the command itself says
LOG_TAIL_LINES = 15
# a server answers within a second; a loaded machine with a cold disk may need twenty times that
READY_WITHIN_SECONDS = 30.0
# short against the 300 ms that the fastest server needs
POLL_SECONDS = 0.02
# servers stop in 0.1 s; a busy one gets time to end its requests
TERM_GRACE_SECONDS = 5.0
# KILL takes effect at once unless the kernel is busy writing for the process
KILL_GRACE_SECONDS = 5.0
# logs may quote requests: the owner alone reads them
LOG_MODE = 0o600

# children of this very process, kept so that they are waited for and leave no zombie
_CHILDREN: dict[Process, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Account:
    """User and group numbers to run a server as."""

    uid: int
    gid: int

    @property
    def switch(self) -> dict[str, object]:
        """Arguments of `subprocess` that give up every other right."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


@dataclass(frozen=True, kw_only=True)
class Server:
    """What to start. `record` is where its identity is written, `account` whom to run it as (None: ourselves)."""

    name: str
    argv: list[str]
    environment: Mapping[str, str]
    directory: Path
    log: Path
    record: Path
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM


@dataclass(frozen=True, kw_only=True)
class Running:
    """A started server, as stored in its record."""

    name: str
    process: Process
    log: Path
    stop_signal: signal.Signals = field(default=signal.SIGTERM)


def start(server: Server) -> Running:
    """Start a server detached from this process and write down who it is.

    Raises:
        SandboxError: `part_not_startable` when its program is missing or may not be run.
    """
    try:
        with _open_log(server.log) as log:
            child = subprocess.Popen(
                server.argv,
                env=dict(server.environment),
                cwd=server.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **(server.account.switch if server.account else {}),  # type: ignore[call-overload]
            )
    except OSError as exc:
        raise SandboxError(
            "part_not_startable", f"{server.name}: {server.argv[0]}: {exc.strerror}", "run `make env`"
        ) from exc
    # also one that died at once has an entry until it is waited for, which only `stop` does
    entry = look_also_dead(child.pid)
    if entry is None:
        raise SandboxError("part_failed", f"{server.name} vanished while it started")
    process = entry.process
    _CHILDREN[process] = child
    running = Running(name=server.name, process=process, log=server.log, stop_signal=server.stop_signal)
    _save(server.record, running)
    return running


def wait_ready(running: Running, check: Callable[[], str], seconds: float = READY_WITHIN_SECONDS) -> None:
    """Ask `check` until it says nothing is wrong (an empty string; otherwise what is).

    Raises:
        SandboxError: `part_failed` when the server ended, `part_not_ready` when the time is over; both show the
            last lines of its log.
    """
    deadline = time.monotonic() + seconds
    while problem := check():
        if not is_alive(running.process):
            raise SandboxError("part_failed", f"{running.name} ended while it started\n{tail(running.log)}", _LOOK)
        if time.monotonic() > deadline:
            raise SandboxError(
                "part_not_ready",
                f"{running.name} was not ready within {seconds:g} s: {problem}\n{tail(running.log)}",
                _LOOK,
            )
        time.sleep(POLL_SECONDS)


def stop(running: Running) -> None:
    """End a server and all that it started; one that is gone is success.

    Raises:
        SandboxError: `part_not_stoppable` when something is left even after KILL.
    """
    rest = {*family(running.process)}
    send(running.process, running.stop_signal)
    if not wait_gone(running.process, TERM_GRACE_SECONDS):
        send(running.process, signal.SIGKILL)
        wait_gone(running.process, KILL_GRACE_SECONDS)
    # asked again: it may have started others while it ended
    rest |= {*family(running.process)}
    for process in rest:
        send(process, signal.SIGKILL)
    for process in (running.process, *rest):
        if not wait_gone(process, KILL_GRACE_SECONDS):
            raise SandboxError("part_not_stoppable", f"{running.name}: process {process.pid} does not end")
    child = _CHILDREN.pop(running.process, None)
    if child is not None:
        child.wait()


def load(record: Path) -> Running | None:
    """The server that `record` names, None when it was never started.

    Raises:
        SandboxError: `sandbox_damaged` when the record cannot be understood, `sandbox_not_yours`.
    """
    try:
        stored = json.loads(record.read_text(encoding="utf-8"))
        return Running(
            name=stored["name"],
            process=Process(**stored["process"]),
            log=Path(stored["log"]),
            stop_signal=signal.Signals(stored["stop_signal"]),
        )
    except FileNotFoundError:
        return None
    except PermissionError as exc:
        raise SandboxError("sandbox_not_yours", f"{record} belongs to another user", "act as that user") from exc
    except (ValueError, TypeError, KeyError) as exc:
        raise SandboxError(
            "sandbox_damaged", f"{record} cannot be understood", "stop that server by hand, then remove the file"
        ) from exc


def tail(log: Path, lines: int = LOG_TAIL_LINES) -> str:
    """The last lines of a log, empty when there is none."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


_LOOK = "the log has more; once the cause is gone, run `keyturn sandbox up` again"


def _open_log(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, LOG_MODE), "wb")


def _save(record: Path, running: Running) -> None:
    write_atomically(record, {**asdict(running), "log": str(running.log)})
