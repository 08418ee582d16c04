"""Starts the program's process, waits for it, and says what it said when it failed.

Killed by its own process when the time is up, or when the engine is interrupted. Deliberately not here: what a good
end is worth (`engine.py`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from sandbox.engine.errors import ProgramFailed

_SCRIPT = Path(__file__).with_name("program.py")
# the end of a traceback tells; the rest is the event loop's
_SHOWN_CHARS = 4000


@dataclass(frozen=True, kw_only=True)
class Job:
    """What the program's process needs to know. `engine` serves monitor and log; config keys are qualified."""

    program: str
    project: str
    stack: str
    engine: str
    preview: bool
    config: Mapping[str, str]
    secret_config: list[str]


def run_program(job: Job, timeout_s: float, scrub: Callable[[str], str]) -> None:
    """Run to the end. ProgramFailed with the scrubbed end of its output, or when `timeout_s` have passed."""
    with tempfile.TemporaryFile() as said:
        process = _start(said)
        assert process.stdin is not None  # noqa: S101  # asked for as a pipe
        try:
            process.stdin.write(json.dumps(asdict(job)).encode() + b"\n")
            process.stdin.flush()
            code = process.wait(timeout_s)
        except BrokenPipeError:
            code = process.wait()
        except subprocess.TimeoutExpired:
            remedy = "look for a call that hangs, or allow it more time"
            text = f"the program did not end within {timeout_s:g} s"
            raise ProgramFailed("program_timeout", text, remedy) from None
        finally:
            _stop(process)
        if code:
            raise ProgramFailed("program_failed", f"the program failed:\n{scrub(_tail(said))}")


def _start(said: IO[bytes]) -> subprocess.Popen[bytes]:
    """A child without the folder of its script in its path: module names there would hide others."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
    command = [sys.executable, "-P", str(_SCRIPT)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=said, stderr=said, env=environment)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()
    if process.stdin is not None:
        try:
            process.stdin.close()
        except BrokenPipeError:
            return


def _tail(said: IO[bytes]) -> str:
    said.seek(0)
    return said.read().decode(errors="replace").strip()[-_SHOWN_CHARS:]
