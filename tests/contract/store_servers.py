"""Servers of the sandbox for the store contract, one at a time, stopped by their process when the block ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.layout import Layout
from sandbox.parts.contract import Part, Request, Started
from sandbox.ports import reserved
from sandbox.processes import load, stop


@contextmanager
def running(part: Part, directory: Path) -> Iterator[Started]:
    """One part in `directory` until the block ends: its facts and credentials."""
    layout = Layout(directory / "sandbox")
    layout.claim()
    layout.make_fresh()
    try:
        with reserved({part.name: 0}) as ports:
            started = part.start(Request(layout=layout, port=ports[part.name]))
        yield started
    finally:
        found = load(layout.process(part.name))
        if found is not None:
            stop(found)
