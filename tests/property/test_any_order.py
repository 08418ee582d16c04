"""A thousand steps of everything that people, clouds and strangers do, in any order: the same ones every time."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.property import storms
from tests.property.storm import FAULTS, Storm

STEPS = 1000
# Storms at a time, and the numbers of those that are run: a fixed one, so that a failure is seen again.
EXAMPLES, FIRST_SEED = 4, 1


def ran(storm: type[Storm], steps: int) -> tuple[Counter[str], Counter[str]]:
    """At least so many steps."""
    done: Counter[str] = Counter()
    called: Counter[str] = Counter()
    number = FIRST_SEED
    while done.total() < steps:
        more, calls = storms.run(storm, EXAMPLES, number)
        done, called, number = done + more, called + calls, number + 1
    return done, called


def test_whatever_happens_in_any_order_readers_of_current_get_what_the_target_accepts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done: Counter[str] = Counter()
    called: Counter[str] = Counter()
    for storm in storms.ALL:
        steps, calls = ran(storm, STEPS // len(storms.ALL))
        done, called = done + steps, called + calls
    with capsys.disabled():
        print(f"\n{done.total()} steps in any order, {called.total()} external calls")  # noqa: T201 - as promised
    assert done.total() >= STEPS
    assert Storm.missing(done) == set(), "rules that never ran"
    for fault in FAULTS:
        assert any(name.startswith(f"fault: {fault.value}") for name in done), f"no call ever ended so: {fault.value}"
