"""`make campaign`: a million forged events, webhooks and acknowledgements each, from a seed that is printed.

The work is dealt out in rounds of ten thousand, each with a seed of its own, to a process for each core; the result is
a file. `make test` makes ten thousand of each kind with the same functions.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.property import fuzz_acknowledgements, fuzz_webhooks
from tests.property.fuzz_events import fuzz_events

COUNT = 1_000_000
PER_ROUND = 10_000
# Between the genuine ones of a round of webhooks or acknowledgements lie at least so many forged ones.
_FORGED_SHARE = (100 - max(fuzz_webhooks.VALID_PERCENT, fuzz_acknowledgements.VALID_PERCENT) - 2) / 100
RESULTS = Path("bench/results")
# As wide as Hypothesis takes them, so that a seed can be used there too.
_SEED_BITS = 32


@dataclass
class Judged:
    """Of one kind: forgeries by how they were refused, genuine ones that were accepted, and what was judged wrongly."""

    refused: Counter[str] = field(default_factory=Counter)
    genuine: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Judged) -> None:
        """What another round found."""
        self.refused += other.refused
        self.genuine += other.genuine
        self.wrong += other.wrong


def events(count: int, seed: int) -> Judged:
    """A round of events; beside each forgery a genuine one."""
    found = fuzz_events(count, seed)
    wrong = [f"accepted: {one}" for one in found.accepted] + [f"refused: {one}" for one in found.wrongly_refused]
    return Judged(found.refused, found.genuine - len(found.wrongly_refused), wrong)


def webhooks(count: int, seed: int) -> Judged:
    """A round of webhooks in both directions, through rotations of the keys."""
    try:
        kinds = fuzz_webhooks.fuzz_webhooks(count, seed)
    except AssertionError as exc:
        return Judged(wrong=[str(exc)])
    genuine = kinds.pop("valid")
    return Judged(kinds, genuine)


def acknowledgements(count: int, seed: int) -> Judged:
    """A round of acknowledgements at every moment of rotations."""
    found = fuzz_acknowledgements.fuzz_acknowledgements(count, seed)
    return Judged(found.refused, found.valid, found.wrong)


KINDS: dict[str, tuple[Callable[[int, int], Judged], float]] = {
    "events": (events, 1.0),
    "webhooks": (webhooks, _FORGED_SHARE),
    "acknowledgements": (acknowledgements, _FORGED_SHARE),
}


def campaign(count: int, seed: int, processes: int) -> dict[str, Any]:
    """The document of the result file: at least `count` forgeries of each kind."""
    document: dict[str, Any] = {"seed": seed, "date": datetime.now(UTC).date().isoformat(), "processes": processes}
    # a fresh interpreter each: nothing of this process is copied into them
    with get_context("spawn").Pool(processes) as pool:
        for kind, (_, share) in KINDS.items():
            begun, found, size = time.monotonic(), Judged(), min(PER_ROUND, count)
            rounds = [(kind, size, seed + number) for number in range(math.ceil(count / share / size))]
            for one in pool.imap_unordered(_round, rounds):
                found.add(one)
            forged = found.refused.total()
            seconds = time.monotonic() - begun
            print(f"{kind}: {forged} forged, {len(found.wrong)} judged wrongly, {seconds:.0f} s", flush=True)  # noqa: T201
            document[kind] = {
                "forged": forged,
                "genuine": found.genuine,
                "wrong": found.wrong,
                "seconds": round(seconds),
                "refused": dict(found.refused.most_common()),
            }
    return document


def _round(task: tuple[str, int, int]) -> Judged:
    kind, count, seed = task
    return KINDS[kind][0](count, seed)


def markdown(document: dict[str, Any]) -> str:
    """The document for people."""
    made = f"on {document['date']}: seed {document['seed']}, {document['processes']} processes"
    return "\n".join(
        [
            "# Forged and fuzzed events, webhooks and acknowledgements",
            "",
            f"Made by `make campaign` {made}.",
            "",
            "| | forged | accepted of these, or a genuine one refused | genuine, all accepted | seconds |",
            "|---|---|---|---|---|",
            *(_line(kind, document[kind]) for kind in KINDS),
            "",
            "Events: signed by either key of an overlap of two. Webhooks: in both directions, through rotations of",
            "the keys. Acknowledgements: after every phase of rotations and retirements, judged by what readers get.",
            "",
            *(line for kind in KINDS for line in _table(kind, document[kind]["refused"])),
        ]
    )


def _line(kind: str, found: dict[str, Any]) -> str:
    cells = (kind, f"{found['forged']:,}", len(found["wrong"]), f"{found['genuine']:,}", found["seconds"])
    return f"| {' | '.join(map(str, cells))} |"


def _table(kind: str, counts: dict[str, int]) -> list[str]:
    lines = [f"| {name} | {count:,} |" for name, count in sorted(counts.items())]
    return [f"| forged {kind}, and how they were refused | |", "|---|---|", *lines, ""]


if __name__ == "__main__":
    made = campaign(int(sys.argv[1]) if sys.argv[1:] else COUNT, secrets.randbits(_SEED_BITS), os.cpu_count() or 1)
    (RESULTS / "forgeries.json").write_text(json.dumps(made, indent=2) + "\n")
    (RESULTS / "forgeries.md").write_text(markdown(made))
    sys.exit(1 if any(made[kind]["wrong"] for kind in KINDS) else 0)
