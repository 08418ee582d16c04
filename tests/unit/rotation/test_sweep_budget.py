"""Write budgets: no window of a ceiling's length sees more than the ceiling, and what undoes waits for nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rotation.errors import Throttled
from rotation.ledger.budget import Budgets, Limit, limits
from rotation.ledger.memory import MemoryRows
from rotation.ledger.rows import Rows
from tests.model.clock import Clock


def greedy(budgets: Budgets, clock: Clock, store: str, secrets: list[str], seconds: float) -> list[float]:
    """When writes happened, if everybody takes whatever there is every tenth of a second."""
    begun, times = clock.moment, []
    while clock.moment - begun < timedelta(seconds=seconds):
        for secret in secrets:
            try:
                budgets.spend(store, secret, 1)
            except Throttled:
                continue
            times.append((clock.moment - begun).total_seconds())
        clock.advance(0.1)
    return times


def most(times: list[float], window_s: float) -> int:
    return max(sum(1 for one in times if first <= one < first + window_s) for first in times)


def test_no_second_sees_more_writes_than_aws_allows_and_80_percent_are_used(clock: Clock) -> None:
    times = greedy(Budgets(MemoryRows(), clock), clock, "aws", [f"a/{i}" for i in range(9)], 10)
    assert most(times, 1.0) <= 50
    assert len(times) >= 0.95 * 40 * 10


def test_one_secret_of_google_is_written_twice_a_second_at_most(rows: Rows, clock: Clock) -> None:
    times = greedy(Budgets(rows, clock), clock, "gcp", ["a/one"], 4)
    assert most(times, 1.0) <= 2
    assert len(times) >= 6


def test_an_empty_bucket_says_how_long_to_wait_and_keeps_its_word(rows: Rows, clock: Clock) -> None:
    budgets, limit = Budgets(rows, clock), Limit(pool="p", rate=2.0, burst=2.0, stripes=1)
    budgets.take(limit, "a", 2)
    with pytest.raises(Throttled) as refused:
        budgets.take(limit, "a", 1)
    assert refused.value.reason == "write_budget"
    pause = refused.value.retry_after_s
    assert pause is not None
    clock.advance(pause)
    budgets.take(limit, "a", 1)


def test_what_undoes_a_run_waits_for_nobody_and_later_writes_pay_for_it(rows: Rows, clock: Clock) -> None:
    budgets, limit = Budgets(rows, clock), Limit(pool="p", rate=1.0, burst=1.0, stripes=1)
    for _ in range(3):
        budgets.take(limit, "a", 1, in_debt=True)
    clock.advance(2)
    with pytest.raises(Throttled):
        budgets.take(limit, "a", 1)
    clock.advance(1)
    budgets.take(limit, "a", 1)


def test_what_is_drawn_at_once_is_what_there_is(rows: Rows, clock: Clock) -> None:
    budgets, limit = Budgets(rows, clock), Limit(pool="p", rate=1.0, burst=5.0, stripes=1)
    assert (budgets.left(limit), budgets.draw(limit, 9), budgets.draw(limit, 9)) == (5, 5, 0)


def test_a_store_without_a_ceiling_has_no_budget() -> None:
    assert limits("memory", "a/one") == []
