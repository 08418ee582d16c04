"""Targets served inside the test, and the calls that tests make."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from sandbox.targets.web import TargetServer

# status and JSON body
Answer = tuple[int, dict[str, Any]]

AUTHORITY = "marker-authority-of-the-target"
# a stopped server is noticed at once
POLL_SECONDS = 0.01


@contextmanager
def serving(module: ModuleType, directory: Path) -> Iterator[int]:
    """The port of a target that runs in a thread."""
    with TargetServer(0, module.routes(directory / "state.json"), AUTHORITY) as server:
        thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,))
        thread.start()
        yield server.port
        server.shutdown()
        thread.join()


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
