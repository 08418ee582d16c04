"""What people and the schedule ask of control: runs are started once, under legal names; looking changes nothing."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.control import claims, starts, verbs
from rotation.control.desk import Desk, run_id_of
from rotation.errors import Conflict, NotFound, Refused
from tests.model.clock import Clock
from tests.model.world import NAME, OVERLAP_S, World

TEN_MINUTES_S = 600


class NamedMachines:
    """Step Functions' rule, as the emulator has it: a name is used once, also while its execution runs."""

    def __init__(self) -> None:
        self.started: dict[str, dict[str, str]] = {}
        self.alive: set[str] = set()

    def start(self, machine: str, name: str, payload: Mapping[str, str]) -> str:
        if name in self.started:
            raise Conflict("aws_conflict", "the name was used")
        self.started[name] = {"machine": machine, **payload}
        self.alive.add(f"arn:{name}")
        return f"arn:{name}"

    def running(self, execution: str) -> bool:
        return execution in self.alive


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def machines() -> NamedMachines:
    return NamedMachines()


@pytest.fixture
def desk(world: World, machines: NamedMachines) -> Desk:
    return replace(world.desk, machines=machines)


def ticking(clock: Clock) -> datetime:
    clock.advance(0.001)
    return clock.moment


def due(world: World) -> None:
    assert world.rotate("arn:1") == "succeeded"
    assert world.rotate("arn:2") == "succeeded"
    world.clock.advance(OVERLAP_S)


def test_rotate_starts_one_execution_and_says_which_run_it_will_be(desk: Desk, machines: NamedMachines) -> None:
    answer = verbs.rotate(desk, NAME, {"reason": "leak", "requested_by": "on-call"})
    assert answer["run_id"] == run_id_of(answer["execution"])
    (started,) = machines.started.values()
    assert started == {
        "machine": "rotate",
        "secret": NAME,
        "reason": "leak",
        "requested_by": "on-call",
        "resume": "",
        "flags": "",
    }


def test_retire_starts_the_other_machine(desk: Desk, machines: NamedMachines) -> None:
    verbs.retire(desk, NAME, {"reason": "r", "requested_by": "somebody"})
    assert [started["machine"] for started in machines.started.values()] == ["retire"]


@pytest.mark.parametrize("verb", [verbs.rotate, verbs.retire])
def test_a_secret_without_a_policy_starts_nothing(
    desk: Desk, machines: NamedMachines, verb: Callable[..., object]
) -> None:
    with pytest.raises(Refused, match="unknown_secret"):
        verb(desk, "nobody/knows", "r", "somebody")
    assert not machines.started


def test_asking_again_after_a_run_that_never_claimed_starts_another(
    world: World, desk: Desk, machines: NamedMachines
) -> None:
    first = verbs.rotate(desk, NAME, {"reason": "r", "requested_by": "somebody"})
    second = verbs.rotate(desk, NAME, {"reason": "r", "requested_by": "somebody"})
    assert first["execution"] != second["execution"]
    assert len(machines.started) == 2


def test_the_sweep_starts_what_is_due_and_nothing_else(world: World, desk: Desk, machines: NamedMachines) -> None:
    assert starts.sweep(desk) == []
    due(world)
    world.clock.advance(-1)
    assert starts.sweep(desk) == []
    world.clock.advance(1)
    assert starts.sweep(desk) == [NAME]
    (started,) = machines.started.values()
    assert started == {
        "machine": "retire",
        "secret": NAME,
        "reason": "overlap over",
        "requested_by": "sweep",
        "resume": "",
        "flags": "",
    }


def test_two_sweeps_at_once_start_nothing_twice(world: World, desk: Desk, machines: NamedMachines) -> None:
    due(world)
    assert starts.sweep(desk) == [NAME]
    assert starts.sweep(desk) == []
    assert len(machines.started) == 1


def test_a_later_sweep_leaves_a_retirement_alone_that_is_still_under_way(
    world: World, desk: Desk, machines: NamedMachines
) -> None:
    due(world)
    starts.sweep(desk)
    (name,) = machines.started
    assert claims.gate(desk, world.request(f"arn:{name}"))["outcome"] == "passed"
    world.clock.advance(10 * TEN_MINUTES_S)
    assert starts.sweep(desk) == []
    assert len(machines.started) == 1


def test_a_retirement_that_ended_before_its_claim_is_started_again_in_a_later_slot(
    world: World, desk: Desk, machines: NamedMachines
) -> None:
    due(world)
    starts.sweep(desk)
    machines.alive.clear()
    world.clock.advance(TEN_MINUTES_S)
    assert starts.sweep(desk) == [NAME]
    assert len(machines.started) == 2


def test_a_retired_overlap_is_not_started_again(world: World, desk: Desk, machines: NamedMachines) -> None:
    due(world)
    assert world.retire("arn:retire") == "succeeded"
    world.clock.advance(TEN_MINUTES_S)
    assert starts.sweep(desk) == []


def test_an_index_that_lags_starts_nothing(
    world: World, desk: Desk, machines: NamedMachines, monkeypatch: pytest.MonkeyPatch
) -> None:
    due(world)
    stale = world.rows.due
    rows = [row for shard in "0123" for row in stale(shard, world.ledger.now())]
    assert world.retire("arn:retire") == "succeeded"
    monkeypatch.setattr(world.rows, "due", lambda shard, _: rows if shard == "0" else [])
    assert starts.sweep(desk) == []
    assert not machines.started


@given(st.sampled_from(["rotate", "retire"]), st.text(max_size=200), st.integers() | st.text())
def test_an_execution_name_is_one_that_step_functions_takes(machine: str, secret: str, attempt: object) -> None:
    name = starts.execution_name(machine, secret, attempt)
    assert len(name) <= 80
    assert re.fullmatch(r"[A-Za-z0-9-]+", name)
    assert name == starts.execution_name(machine, secret, attempt)


def test_names_of_different_secrets_machines_and_attempts_differ() -> None:
    long = "a" * 100
    names = {
        starts.execution_name(machine, secret, attempt)
        for machine in ("rotate", "retire")
        for secret in (long, long + "b", "a/b", "a-b")
        for attempt in (1, 2)
    }
    assert len(names) == 16


def test_status_history_and_run_show_a_rotation_without_the_policys_text_and_change_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # steps are shown in the order of their intents
    monkeypatch.setattr(Clock, "__call__", ticking)
    due(world)
    world.engage()
    before = copy.deepcopy(vars(world.rows)["_rows"])
    (standing,) = verbs.status(world.desk, [])
    assert standing["secret"] == NAME
    assert standing["policy"]["overlap_s"] == OVERLAP_S
    assert standing["head"]["overlap"]["old"]["id"] == "1"
    assert standing["last_run"]["status"] == "succeeded"
    assert [run["status"] for run in verbs.history(world.desk, NAME)] == ["succeeded", "succeeded"]
    shown = verbs.run(world.desk, run_id_of("arn:2"))
    assert [step["step"] for step in shown["steps"]] == ["stage", "apply", "test", "promote", "health"]
    assert shown["policy"] == ""
    json.dumps([standing, shown])
    assert vars(world.rows)["_rows"] == before


def test_a_secret_that_was_never_rotated_has_a_status_without_a_run(world: World) -> None:
    (standing,) = verbs.status(world.desk, [NAME])
    assert (standing["last_run"], standing["head"]["current"]) == (None, None)


def test_a_run_that_nobody_knows_is_not_found_with_where_to_look(world: World) -> None:
    with pytest.raises(NotFound, match="run_unknown") as caught:
        verbs.run(world.desk, "0" * 32)
    assert "keyturn history" in caught.value.remedy
