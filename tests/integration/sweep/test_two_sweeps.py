"""Two sweeps in two operating-system processes, released together over one ledger: everything is started once.

What keeps them apart is a condition (on the due row, on the turn of a group, on the revision of a budget) and behind it
the execution's name, which follows from the row. The last tests take one of the two away, then both, and the budgets.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from multiprocessing.connection import Connection

import pytest
from sweep_cloud import Cloud
from sweep_race import ALONE, GOOGLE, GROUPS, Round, allowed, played, racers
from sweep_racer import BUDGETS, CONDITIONS, NAMES

pytestmark = pytest.mark.sandbox

# A second and a half each; in every one of them both processes overtook each other.
ROUNDS = 3


@pytest.fixture(scope="module")
def ends() -> Iterator[list[Connection]]:
    with racers() as both:
        yield both


@pytest.fixture(scope="module")
def rounds(cloud: Cloud, ends: list[Connection]) -> list[Round]:
    return [played(cloud, ends, f"race-{number}") for number in range(ROUNDS)]


def test_both_are_processes_of_their_own_and_met_in_every_round(rounds: list[Round]) -> None:
    for one in rounds:
        pids = {swept.pid for swept in one.swept}
        assert len({*pids, os.getpid()}) == 3
        assert sum(swept.overtaken for swept in one.swept) > 0


def test_what_is_due_alone_is_started_exactly_once(rounds: list[Round]) -> None:
    for one in rounds:
        assert one.of("alone") == sorted(f"alone/{i}" for i in range(ALONE))


def test_of_a_group_one_member_is_started(rounds: list[Round]) -> None:
    for one in rounds:
        assert [len(one.of(f"group-{g}")) for g in range(GROUPS)] == [1] * GROUPS


def test_no_more_is_started_than_the_budget_of_a_store_gives(rounds: list[Round]) -> None:
    for one in rounds:
        assert 0 < len(one.of("google")) <= allowed("gcp")
        assert len(one.of("alone")) <= allowed("aws")


def test_each_start_is_claimed_by_one_process_and_noted_in_its_row(rounds: list[Round]) -> None:
    for one in rounds:
        started = sorted(one.executions.elements())
        assert one.claimed == started
        assert sorted(name for name, row in one.rows.items() if row.execution and row.attempt == 1) == started
        assert sorted(name for name, row in one.rows.items() if row.under_way) == started


@pytest.mark.parametrize("without", [NAMES, CONDITIONS])
def test_the_conditions_alone_start_nothing_twice_and_neither_do_the_names(
    cloud: Cloud, ends: list[Connection], without: str
) -> None:
    seen = played(cloud, ends, f"without-{without}", [without])
    assert set(seen.executions.values()) == {1}
    assert seen.of("alone") == sorted(f"alone/{i}" for i in range(ALONE))


def test_without_both_secrets_are_started_twice_and_groups_are_broken(cloud: Cloud, ends: list[Connection]) -> None:
    seen = played(cloud, ends, "without-both", [CONDITIONS, NAMES])
    assert seen.executions["alone/0"] == 2
    assert [len(seen.of(f"group-{g}")) for g in range(GROUPS)] == [2] * GROUPS


def test_without_budgets_more_is_started_than_a_store_allows(cloud: Cloud, ends: list[Connection]) -> None:
    assert len(played(cloud, ends, "without-budgets", [BUDGETS]).of("google")) == GOOGLE > allowed("gcp")
