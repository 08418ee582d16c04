"""The kill switch stops a run before its next effect and parks it: nothing moves until a person says how it ends.

Undoing it is never stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import pytest
from runs_credentials import API_TOKEN, POSTGRES
from runs_detour import detour
from runs_stack import Ended, Stack
from runs_stores import Seen, candidate_of
from runs_targets import ACCEPTED

pytestmark = pytest.mark.sandbox


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """A run whose switch was engaged while its test was under way, runs asked for meanwhile, and how it was undone.

    parked, left: what the target said to the candidate of the halted run, and to it once that run was undone.
    """

    ended: Ended
    before: Seen
    live: Seen
    parked: str
    meanwhile: Ended
    undone: Ended
    candidate_at_last: Seen | None
    left: str
    afterwards: Ended


@pytest.fixture(scope="module")
def stopped(stack: Stack, lives: object) -> Stopped:
    stack.settle(API_TOKEN.name, POSTGRES.name)
    with closing(API_TOKEN.reader(stack)) as reader:
        before = reader.live()
        with detour(stack, API_TOKEN.name, stack.facts.token_service_url, "/whoami") as gate:
            started = stack.begin("rotate", API_TOKEN.name)
            gate.wait()
            with _engaged(stack):
                gate.opened.set()
                ended = stack.ended(started)
                held, live = candidate_of(reader, ended), reader.live()
                assert held
                parked = API_TOKEN.show(stack.facts, held.text)
                meanwhile = stack.rotate(POSTGRES.name)
                # its target is still reached through the gate: a run keeps the policy that it was claimed with
                begun = stack.verb("rollback", secret=API_TOKEN.name, reason="a test")
                undone = stack.ended(begun)
        return Stopped(
            ended=ended,
            before=before,
            live=live,
            parked=parked,
            meanwhile=meanwhile,
            undone=undone,
            candidate_at_last=candidate_of(reader, ended),
            left=API_TOKEN.show(stack.facts, held.text),
            afterwards=stack.rotate(API_TOKEN.name),
        )


def test_the_run_is_parked_before_its_next_effect_with_what_it_had_done(stopped: Stopped) -> None:
    ended = stopped.ended
    assert (ended.status, ended.error) == ("FAILED", "kill_switch")
    assert (ended.run["status"], ended.run["failure"]) == ("halted", {"phase": "promote", "reason": "kill_switch"})
    assert [step["step"] for step in ended.run["steps"]] == ["stage", "apply", "test"]
    assert stopped.parked == ACCEPTED


def test_readers_stay_on_the_credential_from_before(stopped: Stopped) -> None:
    assert stopped.live == stopped.before


def test_no_new_run_begins_while_it_is_engaged(stopped: Stopped) -> None:
    meanwhile = stopped.meanwhile
    assert (meanwhile.status, meanwhile.error, meanwhile.cause) == ("FAILED", "kill_switch", "claim")
    assert meanwhile.run["steps"] == []


def test_what_the_run_had_done_is_undone_on_demand_though_the_switch_is_engaged(stopped: Stopped) -> None:
    assert stopped.undone.run["run_id"] == stopped.ended.run["run_id"]
    assert stopped.undone.run["status"] == "undone"
    undone = {step["step"]: step["facts"].get("undone") for step in stopped.undone.run["steps"]}
    assert (undone["withdraw"], undone["abandon"]) == ("withdrawn", "abandoned")
    assert (stopped.candidate_at_last, stopped.left) == (None, API_TOKEN.refusal)


def test_rotation_goes_on_once_it_is_released(stopped: Stopped) -> None:
    assert stopped.afterwards.status == "SUCCEEDED"


@contextmanager
def _engaged(stack: Stack) -> Iterator[None]:
    """The switch engaged, released whatever happens: everything else in the stack waits for it."""
    stack.verb("engage", reason="a test")
    try:
        yield
    finally:
        stack.verb("release", reason="a test")
