"""Whom the harness kills: whoever holds the other end of a connection, if the emulator started it, and nobody else."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.crash.killing import Connection, Killer
from rotation.errors import Refused
from sandbox.kernel import Process, look
from sandbox.ports import ANY_PORT, LOOPBACK

# Connects to the port and waits for an answer that never comes.
CLIENT = "import socket, sys; s = socket.create_connection((sys.argv[1], int(sys.argv[2]))); s.recv(1)"
# The same, over a socket of IPv6, as gRPC does.
CLIENT_6 = (
    "import socket, sys; s = socket.socket(socket.AF_INET6); s.connect(('::ffff:' + sys.argv[1], int(sys.argv[2]))); "
    "s.recv(1)"
)
SHELL = "import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', *sys.argv[1:]]).returncode)"
PATIENCE_S = 20.0


@contextmanager
def connected(*argv: str) -> Iterator[tuple[subprocess.Popen[bytes], Connection]]:
    """A process, or its child, that is connected to us."""
    with socket.create_server((LOOPBACK, ANY_PORT)) as listening:
        listening.settimeout(PATIENCE_S)
        port = listening.getsockname()[1]
        with subprocess.Popen([sys.executable, "-c", *argv, LOOPBACK, str(port)]) as client:  # noqa: S603 - our own interpreter and script
            try:
                held, address = listening.accept()
                with held:
                    yield client, Connection(peer=address[1], ours=port)
            finally:
                client.kill()


def process(pid: int) -> Process:
    entry = look(pid)
    assert entry
    return entry.process


@pytest.mark.parametrize("client", [CLIENT, CLIENT_6])
def test_the_worker_that_holds_the_connection_dies_of_sigkill(client: str) -> None:
    with connected(client) as (worker, connection):
        Killer(process(os.getpid())).kill(connection)
        assert worker.wait(PATIENCE_S) == -signal.SIGKILL


def test_a_worker_that_a_worker_started_is_found_and_only_it_dies() -> None:
    with connected(SHELL, CLIENT) as (parent, connection):
        Killer(process(parent.pid)).kill(connection)
        # the parent lives, and tells how its child died
        assert parent.wait(PATIENCE_S) == (-signal.SIGKILL) % 256


def test_nobody_dies_where_the_connection_is_not_the_emulators() -> None:
    with connected(CLIENT) as (emulator, _), connected(CLIENT) as (stranger, connection):
        with pytest.raises(Refused, match="nobody_there"):
            Killer(process(emulator.pid)).kill(connection)
        assert stranger.poll() is None


def test_a_connection_that_is_gone_is_an_error() -> None:
    with connected(CLIENT) as (_, connection):
        pass
    with pytest.raises(Refused, match="nobody_there"):
        Killer(process(os.getpid())).kill(connection)
