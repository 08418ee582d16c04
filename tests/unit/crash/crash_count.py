"""Tells at the end of a test session how many crash points were tried, from what the tests recorded of themselves.

Through the reports, so that it holds for tests that ran in workers too.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

# The name under which a test records `[store, credential, calls, deaths]`.
RECORDED = "crash points"
_BEFORE_AND_AFTER = 2


def crash_points(stats: dict[str, list[Any]]) -> str:
    """One line, or nothing when no test recorded any."""
    calls: Counter[str] = Counter()
    deaths = 0
    # a test is reported three times, with the same properties
    for report in (r for reports in stats.values() for r in reports if getattr(r, "when", "") == "call"):
        for name, recorded in report.user_properties:
            if name == RECORDED:
                store, credential, called, died = recorded
                calls[f"{store} x {credential}"] += called
                deaths += died
    points = {combo: _BEFORE_AND_AFTER * count for combo, count in sorted(calls.items())}
    if not points:
        return ""
    each = ", ".join(f"{combo}: {count:,}" for combo, count in points.items())
    return f"crash points: {sum(points.values()):,} ({each}); deaths walked: {deaths:,}"
