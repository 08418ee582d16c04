"""What is made of the moments of subscribers: the last one counts, by nearest rank, and lanes are compared."""

from __future__ import annotations

from typing import Any

import pytest

from bench.subscribers_file import LANES, markdown, ratios, spread
from bench.subscribers_world import Moments


def moments(last_ms: float, told: str = "sent") -> Moments:
    """Moved at 100 s, announced 10 ms later; the last of two acknowledges so long after the move."""
    return Moments(moved=100.0, announced=100.01, told=told, acknowledged={"one": 100.02, "two": 100 + last_ms / 1000})


def lane(slowest_ms: float) -> dict[str, Any]:
    return spread([moments(50.0 + number) for number in range(99)] + [moments(slowest_ms)])


def test_the_last_acknowledgement_counts_from_the_move_and_from_the_publishing() -> None:
    found = lane(5_000.0)

    assert found["move"] == {"median_ms": 99.0, "p99_ms": 148.0, "most_ms": 5000.0}
    assert found["publish"] == {"median_ms": 89.0, "p99_ms": 138.0, "most_ms": 4990.0}
    assert found["told"] == {"sent": 100}


def test_a_lane_is_a_multiple_of_the_one_with_redis_up() -> None:
    up, down = spread([moments(100.0)]), spread([moments(250.0, told="failed:redis_unreachable")])

    assert ratios(down, up)["move"] == {"median": 2.5, "p99": 2.5}


@pytest.mark.parametrize("part", ["| restarted in each rotation | publish | 89 | 138 | 5,990 | 1, 1 |", "every 1 s"])
def test_the_page_has_times_and_ratios_of_each_lane(part: str) -> None:
    lanes = {name: lane(6_000.0) for name in LANES}
    machine = {"system": "Linux x86_64", "cores": 2, "python": "3.11", "load_at_end": 0.5}
    document = {
        "date": "2026-01-01",
        "commit": "abc",
        "machine": machine,
        "subscribers": 50,
        "processes": 2,
        "rotations": 100,
        "poll_s": 1.0,
        "lanes": lanes,
        "ratios": {name: ratios(lanes[name], lanes["up"]) for name in LANES[1:]},
    }

    assert part in markdown(document)
