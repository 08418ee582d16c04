"""Runs a Pulumi program in a process of its own: started by `runner.py`, never imported.

A fresh process means fresh imports (in a second run inside one process nothing would register, and everything would
be deleted) and a clean end when time is up. The job comes as one JSON line on standard input, because configuration
may hold secrets that do not belong in arguments or environment; when the rest of that pipe ends, so has the engine,
and so do we.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import runpy
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pulumi.runtime import Settings, configure, run_in_stack, set_all_config

# as many calls at once as the engine serves
_THREADS = 16
_ENGINE_GONE = 3


def main() -> int:
    """Read the job, run the program to its end; 0 only when every registration was answered."""
    job = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_engine, daemon=True).start()
    program = Path(job["program"])
    sys.path.insert(0, str(program.parent))
    os.chdir(program.parent)
    # its "exception was never retrieved" repeats, without context, what is reported below
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    set_all_config(job["config"], job["secret_config"])
    configure(_settings(job))
    return _run(program)


def _settings(job: dict[str, Any]) -> Settings:
    return Settings(
        project=job["project"],
        stack=job["stack"],
        monitor=job["engine"],
        engine=job["engine"],
        dry_run=job["preview"],
        organization="organization",
        root_directory=str(Path(job["program"]).parent),
    )


def _run(program: Path) -> int:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(ThreadPoolExecutor(_THREADS))

    def body() -> None:
        runpy.run_path(str(program), run_name="__main__")

    try:
        loop.run_until_complete(run_in_stack(body))
    except BaseException:  # noqa: BLE001  # SystemExit too: a program that leaves early has not declared everything
        traceback.print_exc()
        return 1
    return 0


def _end_with_engine() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(_ENGINE_GONE)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # threads of calls that will never be answered must not keep a finished program alive
    os._exit(code)
