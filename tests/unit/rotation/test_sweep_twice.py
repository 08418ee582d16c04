"""Two sweeps at once, interleaved at every call that one of them makes: nothing is started twice, or forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sweep_world import HOUR, SweepWorld, policy

from rotation.control.sweep import sweep
from rotation.errors import KeyturnError, Unavailable
from rotation.ledger.rows import Rows

CRON = "cron(0 5 2 * ? *)"
CALLS = ("get", "partition", "due", "write")


class Interrupted:
    """The table of one sweep; before its call number `at` something else happens, once."""

    def __init__(self, rows: Rows, at: int, happens: Callable[[], object]) -> None:
        self._rows = rows
        self._at = at
        self._happens = happens
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._rows, name)
        return self._counted(found) if name in CALLS else found

    def _counted(self, method: Callable[..., object]) -> Callable[..., object]:
        def call(*given: object) -> object:
            self.calls += 1
            if self.calls == self._at:
                self._happens()
            return method(*given)

        return call


def made(rows: Rows | None = None) -> SweepWorld:
    """Five secrets, all due: two of a group, a parent and its child, and one alone."""
    world = SweepWorld(
        policy("a/one", cadence=CRON),
        policy("g/one", cadence=CRON, group="g"),
        policy("g/two", cadence=CRON, group="g"),
        policy("p/child", cadence=CRON, parent="p/parent"),
        policy("p/parent", cadence=CRON),
        rows=rows,
    )
    world.look()
    world.clock.moment = datetime(2026, 1, 2, 6, tzinfo=UTC)
    return world


def calls_of_one_sweep() -> int:
    world = made()
    alone = Interrupted(world.rows, 0, lambda: None)
    sweep(world.another_desk(alone))  # type: ignore[arg-type]
    return alone.calls


EVERY_CALL = range(1, calls_of_one_sweep() + 1)


def started(world: SweepWorld) -> list[str]:
    return sorted(given["secret"] for _, _, given in world.machines.started)


@pytest.mark.parametrize("at", EVERY_CALL)
def test_a_sweep_that_is_overtaken_at_any_call_starts_nothing_twice(at: int) -> None:
    world = made()
    first = Interrupted(world.rows, at, lambda: sweep(world.desk))
    sweep(world.another_desk(first))  # type: ignore[arg-type]
    secrets = started(world)
    assert len(secrets) == len(set(secrets))
    assert len({"g/one", "g/two"} & set(secrets)) == 1, "one of the group"
    assert {"a/one", "p/parent"} <= set(secrets)
    assert "p/child" not in secrets


@pytest.mark.parametrize("at", EVERY_CALL)
def test_a_sweep_that_dies_at_any_call_is_made_up_for_by_the_next(at: int) -> None:
    world = made()

    def dies() -> None:
        raise Unavailable("test", "the process is gone")

    with pytest.raises(KeyturnError):
        sweep(world.another_desk(Interrupted(world.rows, at, dies)))  # type: ignore[arg-type]
    for _ in range(3):
        # after the pause in which an intent is left alone
        world.look()
        world.clock.advance(HOUR // 4)
    secrets = started(world)
    assert {"a/one", "p/parent"} <= set(secrets)
    assert len({"g/one", "g/two"} & set(secrets)) == 1
    assert len({name for _, name, _ in world.machines.started}) == len(world.machines.started)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_two_sweeps_on_dynamodb_start_nothing_twice(rows: Rows, share: float) -> None:
    world = made(rows)
    first = Interrupted(rows, int(len(EVERY_CALL) * share), lambda: sweep(world.desk))
    sweep(world.another_desk(first))  # type: ignore[arg-type]
    secrets = started(world)
    assert len(secrets) == len(set(secrets))
    assert len({"g/one", "g/two"} & set(secrets)) == 1
