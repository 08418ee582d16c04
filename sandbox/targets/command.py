"""The command line of a target: listen, say where, serve until TERM.

The authority's token comes in a file that only its owner reads, never in an argument, which every user sees in the
process list. The ready file gets the port as one line of digits, written whole, when the server listens.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from sandbox.targets.web import Route, TargetServer

# rights of the group and of everybody else
OTHERS = 0o077
PORT_TAKEN, UNUSABLE_AUTHORITY = 1, 2
# guessing 16 characters is out of reach, an empty file would let everybody in
SHORTEST_AUTHORITY = 16


def run(name: str, routes: Callable[[Path], Sequence[Route]]) -> int:
    """Serve `routes(state file)` until TERM or INT: 0; 1 when the port is taken, 2 for an unusable authority file."""
    parser = argparse.ArgumentParser(prog=f"python -m sandbox.targets.{name}", description=f"{name} on loopback")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--ready-file", type=Path, help="gets the port when the server listens")
    parser.add_argument("--authority-file", type=Path, required=True, help="the authority's token, mode 0600")
    parser.add_argument("--state", type=Path, required=True, help="what is kept over a restart")
    arguments = parser.parse_args()
    try:
        authority = read_authority(arguments.authority_file)
    except (OSError, ValueError) as exc:
        print(f"authority file: {exc}", file=sys.stderr)
        return UNUSABLE_AUTHORITY
    try:
        server = TargetServer(arguments.port, routes(arguments.state), authority)
    except OSError:
        print(f"port {arguments.port} is taken", file=sys.stderr)
        return PORT_TAKEN
    _serve(name, server, arguments.ready_file)
    return 0


def read_authority(path: Path) -> str:
    """The token in a file that nobody else can read. ValueError, without it, when it is open to others or short."""
    if path.stat().st_mode & OTHERS:
        raise ValueError(f"{path} is open to others: make it mode 0600")
    token = path.read_text(encoding="ascii").strip()
    if len(token) < SHORTEST_AUTHORITY:
        raise ValueError(f"{path} holds fewer than {SHORTEST_AUTHORITY} characters")
    return token


def _serve(name: str, server: TargetServer, ready: Path | None) -> None:
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with server:
        thread = threading.Thread(target=server.serve_forever, name=name)
        thread.start()
        print(f"{name} on 127.0.0.1:{server.port}", flush=True)
        if ready is not None:
            partial = ready.with_name(f"{ready.name}.{os.getpid()}")
            partial.write_text(f"{server.port}\n", encoding="ascii")
            partial.replace(ready)
        stopped.wait()
        server.shutdown()
        thread.join()
