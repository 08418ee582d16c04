"""The storms find what they are for: each defect, made for the test, is found within so many steps."""

from __future__ import annotations

import pytest
from hypothesis.errors import FlakyFailure

from tests.property import storms
from tests.property.defects import DEFECTS, WAITING_DEFECTS
from tests.property.waiting_storm import WaitingStorm

# A defect that takes more steps than these is not found by `make test`, and hardly by anybody who looks at a failure.
WITHIN = 3000
EXAMPLES = 10
# Where the search begins, so that it is short: a rare order of events has a number of its own.
FIRST_SEED = {
    "a target that takes a late call": 417,
    "an undoing that withdraws what readers get": 190,
    "ledger writes that do not check the claim": 102,
    "a gate that asks no consumer": 101,
    "a consumer whose silence is consent": 104,
    "an agreement by whoever asked": 102,
    "an agreement by anybody": 103,
    "an expiry taken for a yes": 101,
    "a no taken for a yes": 103,
}
FOUND = (
    "readers get",
    "the target accepts",
    "two hold",
    "worked under",
    "the epoch",
    "a value",
    "overwritten",
    "no rest",
    "old",
    "a run began",
    "agreed to",
)


@pytest.mark.parametrize("defect", DEFECTS | WAITING_DEFECTS)
def test_a_defect_is_found(defect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (DEFECTS | WAITING_DEFECTS)[defect](monkeypatch)
    among = (WaitingStorm,) if defect in WAITING_DEFECTS else storms.STORMS
    storms.RAN.clear()
    number = FIRST_SEED.get(defect, 100)
    while storms.RAN.total() < WITHIN:
        storm = among[number % len(among)]
        try:
            storms.run(storm, EXAMPLES, number, shrink=False)
        except (AssertionError, FlakyFailure) as exc:
            assert any(words in str(exc) for words in FOUND), exc  # noqa: PT017 - which promise was broken
            return
        number += 1
    pytest.fail(f"{defect}: not found in {storms.RAN.total()} steps")
