"""`make campaign`: a hundred thousand steps of any order, from a seed that is printed; what broke is kept in a file.

A storm that breaks is shrunk to its shortest story by Hypothesis, and the campaign goes on with the next one.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.property import storms
from tests.property.storm import Storm

STEPS = 100_000
# Storms between two lines of progress.
EXAMPLES = 40
RESULTS = Path("bench/results")
# A finding's story is shrunk for as long as Hypothesis likes; a campaign with more of them than this has proven enough.
FINDINGS = 10


def campaign(steps: int, first_seed: int) -> dict[str, Any]:
    """Run storms until so many steps were made, or too much is broken; the document of the result file."""
    begun = time.monotonic()
    findings: list[dict[str, Any]] = []
    calls: Counter[str] = Counter()
    storms.RAN.clear()
    number = 0
    while storms.RAN.total() < steps and len(findings) < FINDINGS:
        storm = storms.ALL[number % len(storms.ALL)]
        by_seed = first_seed + number
        try:
            calls += storms.run(storm, EXAMPLES, by_seed)[1]
        except Exception as exc:  # noqa: BLE001 - whatever it is, it is the finding
            story = "\n".join([str(exc), *getattr(exc, "__notes__", [])])
            findings.append({"storm": storm.__name__, "seed": by_seed, "story": story})
            print(f"broken with the seed {by_seed}: {exc}")  # noqa: T201 - the command's progress
        number += 1
        print(f"{storms.RAN.total():>7} of {steps} steps, {len(findings)} broken", flush=True)  # noqa: T201
    return {
        "seed": first_seed,
        "date": datetime.now(UTC).date().isoformat(),
        "steps": storms.RAN.total(),
        "external_calls": calls.total(),
        "seconds": round(time.monotonic() - begun),
        "rules": dict(storms.RAN.most_common()),
        "findings": findings,
    }


def markdown(document: dict[str, Any]) -> str:
    """The document for people."""
    rules = [f"| {name} | {count} |" for name, count in document["rules"].items()]
    found = [f"## {one['storm']}, seed {one['seed']}\n\n```\n{one['story']}\n```\n" for one in document["findings"]]
    made = f"Made by `make campaign` on {document['date']}, seed {document['seed']}: {document['steps']} steps,"
    came = f"{document['external_calls']} external calls, {document['seconds']} s, {len(document['findings'])} broken."
    head = ["# Steps in any order\n", f"{made} {came}\n", "| rule | steps |", "|---|---|"]
    return "\n".join([*head, *rules, "", *found])


def main() -> int:
    """0 when nothing broke and every rule ran."""
    parser = argparse.ArgumentParser(prog="campaign")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    given = parser.parse_args()
    print(f"seed {given.seed}")  # noqa: T201 - the command's progress
    document = campaign(given.steps, given.seed)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "campaign.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "campaign.md").write_text(markdown(document), encoding="utf-8")
    missing = sorted(Storm.missing(storms.RAN)) or "none"
    print(f"{document['steps']} steps, {len(document['findings'])} broken, rules that never ran: {missing}")  # noqa: T201
    return int(bool(document["findings"] or missing != "none"))


if __name__ == "__main__":
    sys.exit(main())
