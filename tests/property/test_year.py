"""A month of a small stack under the real sweep; the year of a large one is `make campaign`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rotation.ledger.budget import Budgets
from rotation.ledger.rows import Delete, Key
from tests.property.year import most, year

POLICIES, DAYS, SEED = 200, 30, 1


def test_a_month_passes_without_a_violated_window_a_passed_ceiling_or_an_idle_delay() -> None:
    document, wrong = year(POLICIES, DAYS, SEED)
    assert wrong == []
    assert document["rotations"] > 2 * POLICIES
    assert document["failed"] > 0, "nothing failed, so that no pause was seen"


def test_the_month_is_the_same_every_time() -> None:
    first, second = (year(POLICIES // 4, DAYS, SEED)[0] for _ in range(2))
    assert {**first, "seconds": 0} == {**second, "seconds": 0}


def test_the_simulation_finds_a_sweep_that_forgets_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rotation.planning.reckoning.earliest_start", lambda policy, due: due)
    assert any("outside its window" in one for one in year(POLICIES // 2, DAYS, SEED)[1])


def test_the_simulation_finds_a_sweep_that_forgets_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    crowded(monkeypatch)
    monkeypatch.setattr("tests.property.year.GROUPED", 1.0)
    monkeypatch.setattr("rotation.control.sweep_facts._busy", lambda *_: "")
    monkeypatch.setattr("rotation.planning.plan._Draft._cause", lambda self, due: "")
    monkeypatch.setattr("rotation.control.launches.turn_taken", lambda group: Delete(key=Key("nothing", "at all")))
    assert any("at once" in one for one in year(POLICIES, 8, SEED)[1])


def test_the_most_writes_of_a_window_are_found() -> None:
    assert most({1: 3, 2: 2, 5: 4}, 1) == 4
    assert most({1: 3, 2: 2, 5: 4}, 2) == 5
    assert most({1: 3, 2: 2, 5: 4}, 4) == 6
    assert most({0: 1, 60: 1}, 60) == 1


def test_without_a_budget_the_busiest_second_would_pass_the_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    crowded(monkeypatch)
    monkeypatch.setattr("tests.property.year_world.START_TAKES", timedelta())
    assert passed() == 0
    monkeypatch.setattr(Budgets, "left", lambda *_: 10_000)
    monkeypatch.setattr(Budgets, "draw", lambda self, limit, n: n)
    monkeypatch.setattr(Budgets, "spend", lambda *_, **__: None)
    assert passed() > 0


def crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is due in the same second of every week."""
    monkeypatch.setattr("tests.property.year.CADENCES", ("cron(0 3 ? * SUN *)",))
    monkeypatch.setattr("tests.property.year.WEIGHTS", (1,))
    monkeypatch.setattr("rotation.planning.reckoning.jitter", lambda *_: timedelta())


def passed() -> int:
    """Ceilings that were passed."""
    return sum("writes in" in one for one in year(POLICIES * 2, 8, SEED)[1])
