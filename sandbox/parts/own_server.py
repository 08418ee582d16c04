"""Starting a server of our own: a module of this checkout that takes any port and tells it in a ready file."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from sandbox.layout import CHECKOUT, PRIVATE_DIRECTORY
from sandbox.parts.contract import Request, environment
from sandbox.processes import Server, start, wait_ready


def start_module(name: str, module: str, arguments: Sequence[str], request: Request) -> int:
    """Start `python -m module --port P --ready-file F arguments...` and wait for its port, which is returned.

    The ready file appears whole, when the server listens: one line of digits.
    """
    layout, home = request.layout, request.layout.part(name)
    home.mkdir(parents=True, mode=PRIVATE_DIRECTORY, exist_ok=True)
    ready = home / "port"
    running = start(
        Server(
            name=name,
            argv=[sys.executable, "-m", module, "--port", str(request.port), "--ready-file", str(ready), *arguments],
            environment={**environment(str(home)), "PYTHONPATH": _module_path(), "PYTHONUNBUFFERED": "1"},
            directory=home,
            log=layout.log(name),
            record=layout.process(name),
        )
    )
    wait_ready(running, lambda: "" if ready.exists() else "it does not listen yet")
    return int(ready.read_text(encoding="ascii"))


def port_of(address: str) -> int:
    """The port at the end of an address."""
    return int(address.rstrip("/").rpartition(":")[2])


def _module_path() -> str:
    """Where this interpreter finds modules, so that the server finds the same ones from its own directory."""
    return ":".join([str(CHECKOUT), *filter(None, sys.path)])
