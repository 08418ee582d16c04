"""`make campaign`: a simulated year of 10,000 policies, swept by the real sweep; what it showed goes to bench/results.

The policies differ by a seed as those of a real stack do: stores, cadences, windows, freezes, groups, parents. Held: no
window or freeze is violated, no store sees more writes than its ceiling, of no group two members run at once, nothing
starts late or is left over without a cause.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rotation.ledger.budget import (
    AWS_WRITES_S,
    GOOGLE_SECRET_WRITES_S,
    GOOGLE_WINDOW_S,
    GOOGLE_WRITES_S,
    VAULT_WRITES_S,
)
from rotation.policy import Freeze, Policy, Window
from tests.model.world import POLICY
from tests.property.year_world import Seen, Year

POLICIES, DAYS = 10_000, 365
RESULTS = Path("bench/results")
CADENCES = (
    "rate(1 day)",
    *("rate(7 days)", "rate(30 days)", "rate(30 days)", "rate(90 days)", "rate(90 days)", "rate(12 hours)"),
    *("cron(0 3 ? * SUN *)", "cron(0 2 1 * ? *)", "cron(0 22 ? * MON-FRI *)", "cron(0 4 L * ? *)"),
)
# Most policies turn slowly: a year of 10,000 has some 400,000 rotations.
WEIGHTS = (2, 15, 25, 25, 30, 30, 0.5, 10, 15, 1, 10)
WINDOWS = (
    None,
    None,
    Window(opens=1, hours=4),
    Window(opens=20, hours=4),
    Window(opens=2, hours=3, days=("SUN", "WED")),
)
FREEZES = (
    (),
    (Freeze(first="12-20", last="01-03", why="year's end"),),
    (Freeze(first="2026-06-01", last="2026-06-10", why="launch"),),
)
STORES = ("aws", "aws", "vault", "gcp")
# Members of a group, and how often a policy belongs to one or has a parent.
GROUP, GROUPED, CHILD = 4, 0.1, 0.05


def policies(number: int, seed: int) -> list[Policy]:
    """The stack's policies; the same for the same seed."""
    draw = random.Random(seed)  # noqa: S311 - a simulation that can be repeated
    return [_policy(i, number, draw) for i in range(number)]


def _policy(i: int, number: int, draw: random.Random) -> Policy:
    cadence = draw.choices(CADENCES, WEIGHTS)[0]
    # a window is where a person wants the rotation; who writes an hour has said so already
    window = draw.choice(WINDOWS) if cadence.startswith("rate") and "hours" not in cadence else None
    groups = max(1, int(number * GROUPED / GROUP))
    grouped, child = draw.random() < GROUPED, draw.random() < CHILD and i > 0
    return replace(
        POLICY,
        name=f"p/{i:05}",
        path=f"p/{i:05}",
        store=draw.choice(STORES),
        cadence=cadence,
        window=window,
        freezes=draw.choice(FREEZES),
        group=f"g{draw.randrange(groups)}" if grouped else "",
        parent=f"p/{draw.randrange(i):05}" if child else "",
    )


# Ceiling, the seconds it counts, and whose writes.
CEILINGS = {
    "aws": (AWS_WRITES_S, 1),
    "vault": (VAULT_WRITES_S, 1),
    "gcp": (GOOGLE_WRITES_S * GOOGLE_WINDOW_S, int(GOOGLE_WINDOW_S)),
}


def most(writes: Mapping[int, int], window_s: int) -> int:
    """The most writes in any window of so many seconds."""
    held, found, seconds = 0, 0, sorted(writes)
    first = 0
    for second in seconds:
        held += writes[second]
        while seconds[first] <= second - window_s:
            held -= writes[seconds[first]]
            first += 1
        found = max(found, held)
    return found


def passed_ceilings(seen: Seen) -> list[str]:
    """Which store saw more writes than its ceiling."""
    found = []
    for pool, writes in seen.writes.items():
        ceiling, window_s = CEILINGS.get(pool, (GOOGLE_SECRET_WRITES_S, 1))
        if most(writes, window_s) > ceiling:
            found.append(f"{pool}: {most(writes, window_s)} writes in {window_s} s, of {ceiling:g}")
    return found


def year(number: int, days: int, seed: int) -> tuple[dict[str, Any], list[str]]:
    """Simulate; the document of the result file, and what is wrong."""
    begun = time.monotonic()
    world = Year(policies(number, seed), seed)
    seen = world.run(days)
    wrong = [*seen.wrong, *passed_ceilings(seen), *(f"{name} is left over" for name in world.left_over())]
    by_store = Counter({pool: sum(one.values()) for pool, one in seen.writes.items() if "/" not in pool})
    document = {
        "seed": seed,
        "date": datetime.now(UTC).date().isoformat(),
        "policies": number,
        "days": days,
        "seconds": round(time.monotonic() - begun),
        "rotations": seen.starts,
        "failed": seen.failures,
        "lost_executions": seen.lost,
        "looks": seen.looks,
        "most_under_way": seen.most_under_way,
        "writes": dict(by_store),
        "busiest": {pool: most(seen.writes[pool], CEILINGS[pool][1]) for pool in sorted(by_store)},
        "ceilings": {pool: CEILINGS[pool][0] for pool in sorted(by_store)},
        "throttled": seen.throttled,
        "retries_spent": seen.given_up,
        "latest_start_s": round(seen.latest_s),
        "wrong": wrong,
    }
    return document, wrong


def markdown(document: Mapping[str, Any]) -> str:
    """The document for people."""
    whole = f"{document['policies']} policies, {document['days']} days, {document['rotations']} rotations"
    made = (
        f"Made by `make campaign` on {document['date']}, seed {document['seed']}, in {document['seconds']} s: {whole}."
    )
    lines = [
        f"| {store} | {document['writes'][store]} | {busiest} | {document['ceilings'][store]:g} |"
        for store, busiest in document["busiest"].items()
    ]
    told = ("failed", "lost_executions", "looks", "most_under_way", "throttled", "retries_spent", "latest_start_s")
    facts = [f"| {name.replace('_', ' ')} | {document[name]} |" for name in told]
    wrong = [f"- {one}" for one in document["wrong"]] or ["Nothing was violated, late or left over without a cause."]
    head = ["# A simulated year of the sweep\n", f"{made}\n", "| store | writes | busiest window | ceiling |"]
    return "\n".join([*head, "|---|---|---|---|", *lines, "", "| fact | |", "|---|---|", *facts, "", *wrong, ""])


def main() -> int:
    """0 when nothing was wrong."""
    parser = argparse.ArgumentParser(prog="year")
    parser.add_argument("--policies", type=int, default=POLICIES)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    document, wrong = year(given.policies, given.days, given.seed)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "year.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "year.md").write_text(markdown(document), encoding="utf-8")
    print(f"{document['rotations']} rotations in {document['days']} days, {len(wrong)} wrong", flush=True)  # noqa: T201
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
