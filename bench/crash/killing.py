"""Who holds the other end of a connection, and its death by SIGKILL.

Found by the connection's two ports in /proc, among what the emulator has started and nobody else (proc(5), net/tcp).
"""

from __future__ import annotations

import contextlib
import signal
from dataclasses import dataclass
from pathlib import Path

from rotation.errors import Refused
from sandbox.kernel import PROC, Process, family, send, wait_gone

# gRPC speaks IPv4 over a socket of IPv6.
_TABLES = (PROC / "net/tcp", PROC / "net/tcp6")
# Columns of the tables: local and remote address, and the socket's inode.
_LOCAL, _REMOTE, _INODE = 1, 2, 9
_HEXADECIMAL = 16
# A killed process is gone in a millisecond; on a busy machine its parent may take long to ask for it.
_GONE_S = 5.0


@dataclass(frozen=True)
class Connection:
    """A connection to one of our proxies: the port of whoever asks, and ours."""

    peer: int
    ours: int


class Killer:
    """`emulator`: the process whose workers may be killed."""

    def __init__(self, emulator: Process) -> None:
        self._emulator = emulator

    def kill(self, connection: Connection) -> None:
        """SIGKILL; returns when the process is gone. Refused `nobody_there` when no worker has the connection."""
        victim = self._holder(_inode(connection))
        send(victim, signal.SIGKILL)
        if not wait_gone(victim, _GONE_S):
            raise Refused("not_killed", "a worker of the emulator survived SIGKILL", "look at the machine's load")

    def _holder(self, inode: str) -> Process:
        held = f"socket:[{inode}]"
        for process in family(self._emulator):
            if held in _open_files(process):
                return process
        raise Refused("nobody_there", "no worker of the emulator holds the connection", "a call from elsewhere?")


def _inode(connection: Connection) -> str:
    for line in (line for table in _TABLES for line in table.read_text(encoding="ascii").splitlines()[1:]):
        fields = line.split()
        if (_port(fields[_LOCAL]), _port(fields[_REMOTE])) == (connection.peer, connection.ours):
            return fields[_INODE]
    raise Refused("nobody_there", "the connection is gone", "a call from elsewhere?")


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], _HEXADECIMAL)


def _open_files(process: Process) -> set[str]:
    folder = PROC / str(process.pid) / "fd"
    with contextlib.suppress(OSError):
        return {_target(entry) for entry in folder.iterdir()}
    return set()


def _target(entry: Path) -> str:
    with contextlib.suppress(OSError):
        return str(entry.readlink())
    return ""
