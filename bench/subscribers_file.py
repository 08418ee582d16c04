"""What was measured of subscribers as numbers, as a page for people, and as files."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.subscribers_world import Moments
from bench.written import FOLDER

LANES = ("up", "restarted", "down")
_WAYS = ("move", "publish")
_WORDS = {"up": "up", "restarted": "restarted in each rotation", "down": "down"}
_MILLI = 1_000.0
_NOTES = (
    "To Redis up: median and 99th percentile as multiples of the first lane's.",
    "From the publishing: from the beginning of the announcing, with its login and its signature.",
    "*Restarted*: stopped when the new version was prepared, and started again; the label moved once it answered,",
    "so that nobody listened and the stream told of it.",
    "*Down*: nothing can be sent, and each subscriber polls every {poll_s:g} s, give or take a fifth; the library's",
    "default is 900 s, and the time grows with it.",
    "What became of the announcements: up {lanes[up][told]}, restarted {lanes[restarted][told]},",
    "down {lanes[down][told]}.",
    "",
    "Promotion, announcing and the endpoint's verb are the functions' code in one process; the ledger is in memory.",
    "OpenBao, Valkey and the {subscribers} subscribers ({processes} processes; each has its own cache, listener and",
    "acknowledger) are real, KMS is the emulator's. No state machine and no start of a function is in the times.",
    "Every rotation was retired through the gate, which waited for all {subscribers}.",
    "",
)


def spread(made: Sequence[Moments]) -> dict[str, Any]:
    """Of a lane: milliseconds to the last of all acknowledgements, and what became of the announcements."""
    ways: dict[str, Callable[[Moments], float]] = {"move": lambda one: one.moved, "publish": lambda one: one.announced}
    found: dict[str, Any] = {}
    for name, begun in ways.items():
        times = sorted(_MILLI * (max(one.acknowledged.values()) - begun(one)) for one in made)
        found[name] = {"median_ms": _rank(times, 0.5), "p99_ms": _rank(times, 0.99), "most_ms": _rank(times, 1.0)}
    told = [one.told for one in made]
    return {**found, "told": {how: told.count(how) for how in sorted(set(told))}}


def _rank(times: Sequence[float], share: float) -> float:
    """Nearest rank: of a hundred times the 99th is the ninety-ninth."""
    return round(times[math.ceil(share * len(times)) - 1], 1)


def ratios(lane: Mapping[str, Any], up: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Of a lane to that with Redis up."""
    names = ("median_ms", "p99_ms")
    return {
        way: {name.removesuffix("_ms"): round(lane[way][name] / up[way][name], 1) for name in names}
        for way in ("move", "publish")
    }


def markdown(document: Mapping[str, Any]) -> str:
    """The document for people."""
    machine = document["machine"]
    parts = [
        f"# From the label's move to the last of {document['subscribers']} subscribers\n",
        f"Made by `python -m bench subscribers` on {document['date']} at commit {document['commit']}:",
        f"{document['rotations']} rotations in each lane. {machine['system']}, {machine['cores']} cores,",
        f"Python {machine['python']}, load {machine['load_at_end']}.\n",
        "| Redis | from | median ms | 99th percentile ms | longest ms | to Redis up |",
        "|---|---|---|---|---|---|",
        *(_row(document, lane, way) for lane in LANES for way in _WAYS),
        "",
        *(note.format(**document) for note in _NOTES),
    ]
    return "\n".join(parts)


def write(document: Mapping[str, Any]) -> None:
    """`subscribers.json` and `subscribers.md` among the results."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "subscribers.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    (FOLDER / "subscribers.md").write_text(markdown(document), encoding="utf-8")


def _row(document: Mapping[str, Any], lane: str, way: str) -> str:
    one, ratio = document["lanes"][lane][way], document["ratios"].get(lane, {}).get(way)
    times = [f"{one[name]:,.0f}" for name in ("median_ms", "p99_ms", "most_ms")]
    cells = [_WORDS[lane], way, *times, f"{ratio['median']:g}, {ratio['p99']:g}" if ratio else ""]
    return f"| {' | '.join(cells)} |"
