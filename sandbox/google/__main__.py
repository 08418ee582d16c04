"""`python -m sandbox.google --port 0 --ready-file PATH`: serve until SIGTERM or SIGINT.

When the server listens, its port is printed and written to the ready file as one line of decimal digits, atomically,
so that whoever waits for the file never reads half of it.
"""

from __future__ import annotations

import argparse
import os
import signal
import threading
from pathlib import Path

from sandbox.google.server import GoogleServer


def _announce(port: int, ready: Path | None) -> None:
    if ready is not None:
        partial = ready.with_name(f"{ready.name}.{os.getpid()}")
        partial.write_text(f"{port}\n")
        partial.replace(ready)
    print(f"google secret manager on 127.0.0.1:{port}", flush=True)


def main() -> int:
    """Parse, start, wait, stop; 0 after a signal, 1 when the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.google", description="Google Secret Manager on loopback")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--ready-file", type=Path, help="gets the port when the server listens")
    arguments = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    server = GoogleServer()
    try:
        port = server.start(arguments.port)
    except RuntimeError:
        print(f"port {arguments.port} is taken", flush=True)
        return 1
    _announce(port, arguments.ready_file)
    stopped.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
