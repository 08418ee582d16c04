"""`python -m bench.crash`: every death of every run, on a sandbox of its own; results in a file, 1 on failure."""

from __future__ import annotations

import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer

from bench.crash.place import SECRETS, place
from bench.crash.report import report, write
from bench.crash.stories import STORIES
from bench.crash.walk import Result, Walk
from bench.crash.witness import witness

app = typer.Typer(help=__doc__, add_completion=False, pretty_exceptions_enable=False)
Stores = Annotated[list[str] | None, typer.Option("--store", help="Only this store; may be repeated.")]
Stories = Annotated[list[str] | None, typer.Option("--story", help="Only this story; may be repeated.")]
NoFiles = Annotated[bool, typer.Option("--no-files", help="Leave bench/results as it is.")]


@app.command()
def crash(store: Stores = None, story: Stories = None, no_files: NoFiles = False) -> None:
    """Kill functions with SIGKILL at every effect, and see that every run ends well."""
    began = time.monotonic()
    stories = [one for one in STORIES if not story or one.name in story]
    lanes = [one for one in SECRETS if not store or one in store]
    if not stories or not lanes:
        raise typer.BadParameter(f"stores are {', '.join(SECRETS)}; stories {', '.join(s.name for s in STORIES)}")
    over = threading.Event()

    def tell(result: Result) -> None:
        _show(result)
        if over.is_set():
            raise KeyboardInterrupt

    def lane(name: str) -> list[Result]:
        with witness(where, name) as seen:
            return Walk(seen, tell).all(stories, lambda points: points)

    # whoever ends this process otherwise would leave the sandbox's servers behind
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        tempfile.TemporaryDirectory(prefix="keyturn-crash-") as directory,
        place(Path(directory) / "sandbox", lambda line: print(line, flush=True)) as where,
        ThreadPoolExecutor(len(lanes)) as pool,
    ):
        try:
            results = [result for found in pool.map(lane, lanes) for result in found]
        finally:
            # a lane ends after the point that it is at
            over.set()
    document = report(results, time.monotonic() - began)
    if not no_files:
        write(document)
    wrong = [result for result in results if result.wrong]
    print(f"{len(results)} deaths, {len(wrong)} ended badly, {document['seconds']:.0f} s")
    sys.exit(1 if wrong or not results else 0)


def _show(result: Result) -> None:
    said = "; ".join(result.wrong) or f"{result.status} by {result.ended_by}"
    mark = "BAD" if result.wrong else "ok "
    print(
        f"{mark} {result.store:5} {result.story}: {result.edge} {result.call}, {result.fate}: {said}"
        f" ({result.seconds:.1f} s)",
        flush=True,
    )


if __name__ == "__main__":
    app()
