"""The state machine lint finds what a schema cannot see, and the generated machines pass it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from infra.machine_lint import definitions, problems
from rotation.definition import FUNCTION_TIMEOUT_S, TASK_TIMEOUT_S
from rotation.phases import RETIRE, ROTATE, active

Break = Callable[[dict[str, Any]], None]


@pytest.mark.parametrize("name", ["rotate", "retire", "sweep"])
def test_every_generated_machine_passes_the_lint(name: str) -> None:
    assert problems(definitions()[name]) == []


def _goes_nowhere(machine: dict[str, Any]) -> None:
    machine["States"]["promote"]["Next"] = "nowhere"


def _is_never_reached(machine: dict[str, Any]) -> None:
    machine["States"]["lonely"] = {"Type": "Succeed"}


def _has_no_timeout(machine: dict[str, Any]) -> None:
    del machine["States"]["prepare"]["TimeoutSeconds"]


def _has_no_retry(machine: dict[str, Any]) -> None:
    del machine["States"]["prepare"]["Retry"]


def _has_no_catch(machine: dict[str, Any]) -> None:
    del machine["States"]["prepare"]["Catch"]


def _has_no_type(machine: dict[str, Any]) -> None:
    del machine["States"]["bake"]["Type"]
    machine["States"]["bake"] = {**machine["States"]["bake"], "Type": "Tusk"}


def _runs_too_long(machine: dict[str, Any]) -> None:
    machine["States"]["prepare"]["Retry"][0]["MaxAttempts"] = 500


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_goes_nowhere, "goes to nowhere"),
        (_is_never_reached, "lonely is never reached"),
        (_has_no_timeout, "prepare has no TimeoutSeconds"),
        (_has_no_retry, "prepare has no Retry"),
        (_has_no_catch, "prepare has no Catch"),
        (_has_no_type, "E3601"),
        (_runs_too_long, "history events"),
    ],
)
def test_each_kind_of_damage_is_found(damage: Break, said: str) -> None:
    machine = copy.deepcopy(dict(definitions()["rotate"]))
    damage(machine)
    assert any(said in problem for problem in problems(machine))


def test_the_machines_enter_the_built_phases_in_the_tables_order_and_no_planned_one() -> None:
    for table, name in ((ROTATE, "rotate"), (RETIRE, "retire")):
        states = list(definitions()[name]["States"])
        built = [phase.name for phase in active(table)]
        assert [state for state in states if state in built] == built
        assert not {phase.name for phase in table if phase.planned} & set(states)


def test_a_failure_before_and_after_the_pivot_rolls_back() -> None:
    states = definitions()["rotate"]["States"]
    assert states["prepare_failed"]["Next"] == states["prepare_broke"]["Next"] == "roll_back"
    assert states["promote_broke"]["Next"] == states["bake_failed"]["Next"] == "roll_back"
    assert states["roll_back"]["Next"] == "record_failure"
    assert states["record_failure"]["Next"] == "failed"


def test_a_task_outlives_the_functions_own_timeout() -> None:
    assert TASK_TIMEOUT_S > FUNCTION_TIMEOUT_S


def test_the_state_keeps_references_only() -> None:
    for machine in definitions().values():
        for name, state in machine["States"].items():
            kept = set(state.get("ResultSelector", {}))
            assert kept <= {f"{k}.$" for k in ("outcome", "reason", "run_id", "epoch", "function", "warm_up_s")}, name
