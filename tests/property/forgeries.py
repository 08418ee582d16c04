"""`make campaign`: a million forged events and a million webhooks, from a seed that is printed; the result in a file.

`make test` makes ten thousand of each with the same functions.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.property.fuzz_events import fuzz_events
from tests.property.fuzz_webhooks import fuzz_webhooks

COUNT = 1_000_000
RESULTS = Path("bench/results")
# As wide as Hypothesis takes them, so that a seed can be used there too.
_SEED_BITS = 32


def campaign(count: int, seed: int) -> dict[str, Any]:
    """The document of the result file; AssertionError from a webhook that was judged wrongly."""
    begun = time.monotonic()
    events = fuzz_events(count, seed)
    print(f"{count} forged events, {len(events.accepted)} accepted", flush=True)  # noqa: T201 - the command's progress
    webhooks = fuzz_webhooks(count, seed)
    print(f"{webhooks.total()} webhooks judged rightly", flush=True)  # noqa: T201
    return {
        "seed": seed,
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": round(time.monotonic() - begun),
        "events": {
            "forged": count,
            "genuine": events.genuine,
            "accepted": events.accepted,
            "wrongly_refused": events.wrongly_refused,
            "refused": dict(events.refused.most_common()),
        },
        "webhooks": dict(webhooks.most_common()),
    }


def markdown(document: dict[str, Any]) -> str:
    """The document for people."""
    events = document["events"]
    return "\n".join(
        [
            "# Forged and fuzzed events and webhooks",
            "",
            f"Made by `make campaign` on {document['date']}, seed {document['seed']}, in {document['seconds']} s.",
            "",
            f"{events['forged']} forged events: {len(events['accepted'])} accepted.",
            f"{events['genuine']} genuine ones while keys overlap:",
            f"{len(events['wrongly_refused'])} refused.",
            "",
            *_table("why an event was refused", events["refused"]),
            *_table("webhooks by kind, each judged rightly by both sides", document["webhooks"]),
        ]
    )


def _table(what: str, counts: dict[str, int]) -> list[str]:
    return [f"| {what} | |", "|---|---|", *(f"| {name} | {count} |" for name, count in counts.items()), ""]


if __name__ == "__main__":
    document = campaign(int(sys.argv[1]) if sys.argv[1:] else COUNT, secrets.randbits(_SEED_BITS))
    (RESULTS / "forgeries.json").write_text(json.dumps(document, indent=2) + "\n")
    (RESULTS / "forgeries.md").write_text(markdown(document))
    sys.exit(1 if document["events"]["accepted"] or document["events"]["wrongly_refused"] else 0)
