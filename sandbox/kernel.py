"""Processes as the kernel knows them, read from /proc: who they are, who belongs to them.

A process number alone says nothing, the kernel gives it again. Number, start time and boot together name one
process for good, and a signal sent through a pidfd reaches that process or nobody. Linux only, as the servers are.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
BOOT = PROC / "sys/kernel/random/boot_id"
# proc_pid_stat(5), counted from the field after the command's closing parenthesis
STATE, PARENT, GROUP, SESSION, START = 0, 1, 2, 3, 19
# dead already, only its parent has not asked yet
DEAD_STATES = frozenset("ZX")
MILLISECONDS = 1000


@dataclass(frozen=True)
class Process:
    """One process: `pid`, and `born` (boot and start in clock ticks since), which a reused number does not share."""

    pid: int
    born: str


@dataclass(frozen=True)
class Entry:
    """What /proc tells of a process beside its identity: state, parent, process group and session."""

    process: Process
    state: str
    parent: int
    group: int
    session: int


def look(pid: int) -> Entry | None:
    """The process with this number, None when there is none or it is dead."""
    entry = look_also_dead(pid)
    return entry if entry and entry.state not in DEAD_STATES else None


def look_also_dead(pid: int) -> Entry | None:
    """As `look`, and also a dead process whose parent has not asked for its end yet: its number is not free."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # the command is in parentheses and may hold any character
    field = text.rpartition(")")[2].split()
    process = Process(pid, f"{_boot()}:{field[START]}")
    return Entry(process, field[STATE], int(field[PARENT]), int(field[GROUP]), int(field[SESSION]))


def is_alive(process: Process) -> bool:
    """Whether exactly this process, not another one with its number, still runs."""
    entry = look(process.pid)
    return entry is not None and entry.process == process


def family(leader: Process) -> list[Process]:
    """All that belongs to `leader` but itself: descendants, and members of its process group or session.

    The group counts also when the leader is gone. If its number was given to somebody else, or the machine was
    started anew, the group is not ours and the answer is empty.
    """
    holder = look_also_dead(leader.pid)
    if not leader.born.startswith(_boot()) or (holder is not None and holder.process != leader):
        return []
    entries = [entry for pid in _numbers() if (entry := look(pid)) is not None]
    members = {leader.pid}
    grown = 0
    while grown != len(members):
        grown = len(members)
        members |= {e.process.pid for e in entries if {e.parent, e.group, e.session} & members}
    return [e.process for e in entries if e.process.pid in members and e.process != leader]


def send(process: Process, number: signal.Signals) -> None:
    """Signal exactly this process; one that is gone is success."""
    with contextlib.suppress(ProcessLookupError), _handle(process.pid) as handle:
        if is_alive(process):
            signal.pidfd_send_signal(handle, number)


def wait_gone(process: Process, seconds: float) -> bool:
    """Wait until this process has ended, at most `seconds`; whether it has."""
    try:
        with _handle(process.pid) as handle:
            if not is_alive(process):
                return True
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            return bool(poll.poll(max(0.0, seconds) * MILLISECONDS))
    except ProcessLookupError:
        return True


@contextlib.contextmanager
def _handle(pid: int) -> Iterator[int]:
    handle = os.pidfd_open(pid)
    try:
        yield handle
    finally:
        os.close(handle)


def _boot() -> str:
    return BOOT.read_text(encoding="ascii").strip()


def _numbers() -> list[int]:
    return [int(path.name) for path in PROC.iterdir() if path.name.isdecimal()]
