"""The results as a document, and as a table per store and kind of effect; no place or process of this machine."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench.crash.place import WAIT_SCALE
from bench.crash.walk import Result

FOLDER = Path(__file__).resolve().parents[1] / "results"
_NAME = "crash-full"
_COLUMNS = (
    "store",
    "kind of effect",
    "points",
    "killed",
    "ended well",
    "by retry",
    "by catch",
    "by sweep",
    "by resume",
    "median s",
    "longest s",
)
_MADE = """Made by `make crash-full` on {date} in {seconds:.0f} s: {points} points, {processes_killed} processes
killed, {ended_well} ended well."""
_NOTE = """
Wait scale {scale}: the machines' Retry of 5, 10, 20, 40 and 80 s and their pauses take that part of it; timeouts are
not scaled. Seconds are of the killed run until its end, with the stores side by side.

Ended well: one current version that the target accepts, nothing pending, no orphan that is visible, the ledger agrees,
the old credential is refused after a retirement, the overlap ends and the next rotation succeeds.

Points come from a recording of each undisturbed story. Between two effects of one invocation nothing outside changes:
a death there is tried once, and named by the effect on store or target that it is before or after."""


def report(results: Sequence[Result], seconds: float) -> dict[str, Any]:
    """Everything that came out."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "wait_scale": WAIT_SCALE,
        "seconds": round(seconds, 1),
        "points": len(results),
        "processes_killed": sum(result.died for result in results),
        "ended_well": sum(not result.wrong for result in results),
        "results": [{**asdict(result), "seconds": round(result.seconds, 2)} for result in results],
    }


def write(document: Mapping[str, Any], folder: Path = FOLDER) -> None:
    """`crash-full.json` and `crash-full.md` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{_NAME}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (folder / f"{_NAME}.md").write_text(markdown(document), encoding="utf-8")


def markdown(document: Mapping[str, Any]) -> str:
    """The tables, and every point that ended badly."""
    results = document["results"]
    bad = [result for result in results if result["wrong"]]
    lines = [
        "# Functions killed with SIGKILL, and how their runs ended",
        "",
        _MADE.format(**document),
        _NOTE.format(scale=document["wait_scale"]),
        "",
        "## By store and kind of effect",
        "",
        *_table(_COLUMNS, [_row(key, found) for key, found in _grouped(results, "store", "kind").items()]),
        "",
        "## By story and what became of the execution",
        "",
        *_table(
            ("story", "fate", *_COLUMNS[2:]),
            [_row(key, found) for key, found in _grouped(results, "story", "fate").items()],
        ),
        "",
        "## Ended badly",
        "",
        *(map(_told, bad) if bad else ["None."]),
    ]
    return "\n".join(lines) + "\n"


def _told(result: Mapping[str, Any]) -> str:
    at = f"{result['store']}, {result['story']}, {result['edge']} {result['call']}, {result['fate']}"
    return f"- {at}: {'; '.join(result['wrong'])}"


def _grouped(results: Sequence[Mapping[str, Any]], *by: str) -> dict[tuple[str, ...], list[Mapping[str, Any]]]:
    found: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for result in results:
        found.setdefault(tuple(result[name] for name in by), []).append(result)
    return found


def _row(key: tuple[str, ...], results: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    ended = Counter(result["ended_by"] for result in results)
    seconds = [result["seconds"] for result in results]
    numbers = (len(results), sum(result["died"] for result in results), sum(not result["wrong"] for result in results))
    how = (ended[name] for name in ("retry", "catch", "sweep", "resume"))
    return (*key, *map(str, numbers), *map(str, how), f"{median(seconds):.1f}", f"{max(seconds):.1f}")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (columns, ["---"] * len(columns), *rows)]
