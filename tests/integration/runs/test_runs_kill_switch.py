"""The kill switch, a row of the ledger, stops a run before its next effect, and never the undoing of what was done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import pytest
from runs_credentials import API_TOKEN, POSTGRES
from runs_detour import detour
from runs_stack import LEDGER, SWITCH, Ended, Stack
from runs_stores import Seen, candidate_of
from runs_targets import ACCEPTED

pytestmark = pytest.mark.sandbox


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """A run whose switch was engaged while its test was under way, and runs asked for meanwhile and afterwards."""

    ended: Ended
    before: Seen
    live: Seen
    candidate: Seen
    candidate_at_last: Seen | None
    applied: str
    left: str
    meanwhile: Ended
    afterwards: Ended


@pytest.fixture(scope="module")
def stopped(stack: Stack, lives: object) -> Stopped:
    stack.settle(API_TOKEN.name, POSTGRES.name)
    with closing(API_TOKEN.reader(stack)) as reader:
        before = reader.live()
        with detour(stack, API_TOKEN.name, stack.facts.token_service_url, "/whoami") as gate:
            started = stack.begin("rotate", API_TOKEN.name)
            gate.wait()
            run = stack.verb(verb="run", run_id=started["run_id"])
            candidate = reader.candidate(started["run_id"], run["steps"][0]["facts"])
            assert candidate
            applied = API_TOKEN.show(stack.facts, candidate.text)
            with _engaged(stack):
                gate.opened.set()
                ended = stack.ended(started)
                meanwhile = stack.rotate(POSTGRES.name)
                live, left = reader.live(), API_TOKEN.show(stack.facts, candidate.text)
        return Stopped(
            ended=ended,
            before=before,
            live=live,
            candidate=candidate,
            candidate_at_last=candidate_of(reader, ended),
            applied=applied,
            left=left,
            meanwhile=meanwhile,
            afterwards=stack.rotate(API_TOKEN.name),
        )


def test_the_run_is_stopped_before_its_next_effect(stopped: Stopped) -> None:
    assert (stopped.ended.status, stopped.ended.error) == ("FAILED", "kill_switch")
    assert stopped.ended.run["failure"] == {"phase": "promote", "reason": "kill_switch"}
    assert stopped.ended.step("test")["facts"]["outcome"] == "passed"
    assert "promote" not in [step["step"] for step in stopped.ended.run["steps"]]


def test_what_the_run_had_done_is_undone_though_the_switch_is_engaged(stopped: Stopped) -> None:
    assert stopped.applied == ACCEPTED
    assert stopped.left == API_TOKEN.refusal
    assert stopped.candidate_at_last is None
    undone = {step["step"]: step["facts"].get("undone") for step in stopped.ended.run["steps"]}
    assert (undone["withdraw"], undone["abandon"]) == ("withdrawn", "abandoned")


def test_readers_stay_on_the_credential_from_before(stack: Stack, stopped: Stopped) -> None:
    assert stopped.live == stopped.before


def test_no_new_run_begins_while_it_is_engaged(stopped: Stopped) -> None:
    meanwhile = stopped.meanwhile
    assert (meanwhile.status, meanwhile.error, meanwhile.cause) == ("FAILED", "kill_switch", "claim")
    assert meanwhile.run["steps"] == []


def test_rotation_goes_on_once_it_is_released(stopped: Stopped) -> None:
    assert stopped.afterwards.status == "SUCCEEDED"


@contextmanager
def _engaged(stack: Stack) -> Iterator[None]:
    """The switch engaged, released whatever happens: everything else in the stack waits for it."""
    client = stack.aws("dynamodb")
    client.put_item(TableName=LEDGER, Item={**SWITCH, "engaged": {"BOOL": True}})
    try:
        yield
    finally:
        client.put_item(TableName=LEDGER, Item={**SWITCH, "engaged": {"BOOL": False}})
