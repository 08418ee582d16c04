"""What people ask for in an emergency is rotated whatever windows say, and what does not start is told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sweep_world import SweepWorld, policy, row

from rotation.control import emergency as asking
from rotation.errors import Refused
from rotation.policy import Window

WHO = {"reason": "leaked", "requested_by": "arn:alice"}


@pytest.mark.parametrize("scope", [{"secret": "a/1"}, {"group": "g"}, {"all": True}])
def test_an_emergency_rotates_all_in_its_scope_whatever_their_windows_say(scope: dict[str, object]) -> None:
    window = Window(opens=2, hours=1)
    world = SweepWorld(
        *[policy(f"a/{i}", group="g" if i in (1, 2) else "", window=window, store="gcp") for i in range(40)]
    )
    world.look()
    world.clock.moment = datetime(2026, 1, 1, 12, tzinfo=UTC)
    asked = asking.emergency(world.desk, scope, WHO)
    wanted = {"secret": 1, "group": 2, "all": 40}[next(iter(scope))]
    assert (len(asked["asked"]), asked["next"]) == (wanted, "")
    assert asking.emergency(world.desk, scope, WHO)["asked"] == []
    started: list[str] = []
    for _ in range(12):
        world.clock.advance(10)
        found = world.look()
        started += found
        for secret in found:
            world.end(secret)
    assert sorted(started) == sorted(asked["asked"])
    assert {given["flags"] for _, _, given in world.machines.started} == {"emergency"}
    assert {given["requested_by"] for _, _, given in world.machines.started} == {"arn:alice"}
    assert not row(world, "a/1").urgent


def test_an_emergency_during_a_rotation_rotates_once_more() -> None:
    world = SweepWorld(policy("a/one"))
    world.look()
    world.due_now("a/one")
    world.look()
    world.clock.advance(1)
    assert asking.emergency(world.desk, {"secret": "a/one"}, WHO)["asked"] == ["a/one"]
    world.clock.advance(1)
    world.end("a/one")
    assert world.look() == ["a/one"]
    world.clock.advance(1)
    world.end("a/one")
    assert not row(world, "a/one").urgent


@pytest.mark.parametrize(
    ("scope", "reason"),
    [({}, "bad_scope"), ({"all": False}, "bad_scope"), ({"group": "x"}, "unknown_group"), ({"secret": "x"}, "unknown")],
)
def test_a_scope_that_names_nothing_is_refused(scope: dict[str, object], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        asking.emergency(SweepWorld(policy("a/one")).desk, scope, WHO)
    assert refused.value.reason.startswith(reason)
