"""One command at a time changes a sandbox: a lock that the kernel lets go when its holder dies (flock(2))."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.errors import SandboxError
from sandbox.layout import Layout

LOCK_MODE = 0o600


@contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Hold the sandbox's lock inside the block; servers that are started there do not inherit it.

    Raises:
        SandboxError: `sandbox_busy` at once when another holds it, `sandbox_not_yours` when it may not be opened.
    """
    try:
        handle = os.open(layout.lock, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, LOCK_MODE)
    except PermissionError as exc:
        raise layout.not_yours() from exc
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise SandboxError(
                "sandbox_busy",
                "another command is starting or stopping this sandbox",
                "wait until it has ended, then try again",
            ) from exc
        yield
    finally:
        os.close(handle)
