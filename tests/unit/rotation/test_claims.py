"""A claim belongs to an execution: repeating it answers the same, and of two executions one gets the secret."""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation import aws_client
from rotation.calls import Caller, Meter, NullBreaker
from rotation.control import claims
from rotation.control.cloud import PinnedFunctions, StateMachines, draw
from rotation.control.desk import RUN_ID_CHARS, run_id_of
from rotation.errors import NotFound, Refused, Throttled, Unavailable
from tests.model.world import NAME, OVERLAP_S, POLICY, ModelCatalogue, World


@pytest.fixture
def world() -> World:
    return World()


def with_overlap(world: World) -> None:
    assert world.rotate("arn:1") == "succeeded"
    assert world.rotate("arn:2") == "succeeded"


def test_a_claim_answers_references_only(world: World) -> None:
    answer = claims.claim(world.desk, world.request("arn:x"))
    assert answer == {
        "outcome": "passed",
        "reason": "",
        "run_id": run_id_of("arn:x"),
        "epoch": 1,
        "function": "arn:function:memory:1",
        "warm_up_s": 0,
    }


def test_a_repeated_claim_of_one_execution_is_the_same_run(world: World) -> None:
    first = claims.claim(world.desk, world.request("arn:x"))
    world.clock.advance(60)
    assert claims.claim(world.desk, world.request("arn:x")) == first
    assert world.ledger.head(NAME).epoch == 1
    assert len(world.ledger.history(NAME)) == 1


def test_a_repeated_claim_keeps_to_the_policy_that_was_claimed(world: World) -> None:
    first = claims.claim(world.desk, world.request("arn:x"))
    newer: Any = ModelCatalogue({NAME: replace(POLICY, warm_up_s=600)})
    assert claims.claim(replace(world.desk, catalogue=newer), world.request("arn:x")) == first


def test_a_repeated_gate_of_one_execution_is_the_same_run(world: World) -> None:
    with_overlap(world)
    world.clock.advance(OVERLAP_S)
    first = claims.gate(world.desk, world.request("arn:x"))
    assert first["outcome"] == "passed"
    assert claims.gate(world.desk, world.request("arn:x")) == first
    assert world.ledger.head(NAME).epoch == first["epoch"]


def test_a_run_remembers_policy_digest_who_asked_and_what_was_current(world: World) -> None:
    with_overlap(world)
    world.clock.advance(OVERLAP_S)
    claims.gate(world.desk, world.request("arn:x"))
    run, _ = world.ledger.run(run_id_of("arn:x"))
    assert (run.policy, run.policy_digest) == (POLICY.document(), POLICY.digest())
    assert (run.reason, run.requested_by, run.machine) == ("test", "somebody", "retire")
    assert run.current == world.ledger.head(NAME).current
    assert run.overlap == world.ledger.head(NAME).overlap


def reason(world: World, execution: str = "arn:x", *, gate: bool = False, secret: str = NAME) -> str:
    ask = claims.gate if gate else claims.claim
    answer = ask(world.desk, replace(world.request(execution), secret=secret))
    assert answer["run_id"] == ""
    assert answer["outcome"] == ("halted" if answer["reason"] == "kill_switch" else "failed")
    return answer["reason"]


def test_what_cannot_be_claimed_is_an_outcome_with_its_reason(world: World) -> None:
    assert reason(world, secret="nobody/knows") == "unknown_secret"
    assert reason(world, gate=True) == "no_open_overlap"
    with_overlap(world)
    assert reason(world) == "overlap_open"
    assert reason(world, gate=True) == "overlap_not_over"


def test_an_engaged_switch_lets_nobody_claim(world: World) -> None:
    world.engage()
    assert reason(world) == "kill_switch"
    world.release()
    with_overlap(world)
    world.clock.advance(OVERLAP_S)
    world.engage()
    assert reason(world, gate=True) == "kill_switch"


def test_a_claim_that_was_had_is_answered_also_while_the_switch_is_engaged(world: World) -> None:
    first = claims.claim(world.desk, world.request("arn:x"))
    world.engage()
    assert claims.claim(world.desk, world.request("arn:x")) == first


def test_a_claim_is_held_while_its_execution_runs_and_free_afterwards(world: World) -> None:
    claims.claim(world.desk, world.request("arn:1"))
    world.machines.alive.add("arn:1")
    assert reason(world) == "claim_held"
    world.machines.alive.clear()
    assert claims.claim(world.desk, world.request("arn:x"))["epoch"] == 2


def test_of_two_executions_that_saw_the_secret_free_one_gets_it(world: World) -> None:
    class Racing:
        def pin(self, store: str, run_id: str) -> str:
            # between the look and the write somebody else is faster
            claims.claim(world.desk, world.request("arn:faster"))
            return "arn:function:1"

    slower = replace(world.desk, functions=Racing())
    answer = claims.claim(slower, world.request("arn:slower"))
    assert (answer["outcome"], answer["reason"]) == ("failed", "claim_lost")
    assert world.ledger.head(NAME).execution == "arn:faster"


@pytest.mark.parametrize("passing", [Throttled("t", "slow"), Unavailable("u", "down")])
def test_what_may_pass_by_itself_is_raised_for_the_machine_to_retry(world: World, passing: Exception) -> None:
    class Down:
        def pin(self, store: str, run_id: str) -> str:
            raise passing

    with pytest.raises(type(passing)):
        claims.claim(replace(world.desk, functions=Down()), world.request("arn:x"))
    assert world.ledger.head(NAME).epoch == 0


def run_ids(count: int) -> list[str]:
    return [run_id_of(f"arn:aws:states:r:1:execution:rotate:{i}") for i in range(count)]


@given(st.text())
def test_a_run_id_is_a_token_that_aws_takes(execution: str) -> None:
    assert len(run_id_of(execution)) == RUN_ID_CHARS
    assert int(run_id_of(execution), 16) >= 0
    assert run_id_of(execution) == run_id_of(execution)


@pytest.mark.parametrize("weights", [{"8": 0.1}, {"8": 0.5}, {"8": 0.05, "9": 0.2}])
def test_versions_are_drawn_in_proportion_to_the_weights(weights: dict[str, float]) -> None:
    drawn = Counter(draw(run_id, "7", weights) for run_id in run_ids(4_000))
    for version, weight in weights.items():
        assert drawn[version] / 4_000 == pytest.approx(weight, abs=0.03)
    assert set(drawn) == {"7", *weights}


@given(st.binary(), st.floats(0, 1))
def test_a_run_draws_the_same_version_every_time_and_only_one_that_there_is(seed: bytes, weight: float) -> None:
    run_id = hashlib.sha256(seed).hexdigest()[:RUN_ID_CHARS]
    first = draw(run_id, "7", {"8": weight})
    assert first in ("7", "8")
    assert draw(run_id, "7", {"8": weight}) == first
    assert draw(run_id, "7", {}) == "7"
    assert draw(run_id, "7", {"8": 0.0}) == "7"
    assert draw(run_id, "7", {"8": 1.0}) == "8"


class Client:
    """Lambda and Step Functions as control uses them."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.asked.append({"call": name, **arguments})
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        return call


def a_caller() -> Caller:
    return Caller(
        "aws",
        translate=lambda exc: exc if isinstance(exc, NotFound) else aws_client.translate(exc),
        meter=Meter(),
        breaker=NullBreaker(),
        sleep=lambda _: None,
    )


def pinned(client: Client) -> PinnedFunctions:
    return PinnedFunctions(client, {"aws": "keyturn-local-aws"}, "live", a_caller())


def test_a_run_is_pinned_to_one_version_never_to_the_alias() -> None:
    arn = "arn:aws:lambda:r:1:function:keyturn-local-aws"
    client = Client({"AliasArn": f"{arn}:live", "FunctionVersion": "7"})
    assert pinned(client).pin("aws", run_ids(1)[0]) == f"{arn}:7"
    assert client.asked == [{"call": "get_alias", "FunctionName": "keyturn-local-aws", "Name": "live"}]
    client.answer["RoutingConfig"] = {"AdditionalVersionWeights": {"8": 1.0}}
    assert pinned(client).pin("aws", run_ids(1)[0]) == f"{arn}:8"
    client.answer["RoutingConfig"] = None
    assert pinned(client).pin("aws", run_ids(1)[0]) == f"{arn}:7"


def test_a_store_without_a_function_is_refused_before_any_call() -> None:
    client = Client({})
    with pytest.raises(Refused, match="unknown_store"):
        pinned(client).pin("azure", run_ids(1)[0])
    assert client.asked == []


def machines(client: Client) -> StateMachines:
    return StateMachines(client, {"rotate": "arn:rotate"}, a_caller())


@pytest.mark.parametrize(
    ("status", "runs"), [("RUNNING", True), ("SUCCEEDED", False), ("FAILED", False), ("TIMED_OUT", False)]
)
def test_only_a_running_execution_runs(status: str, runs: bool) -> None:
    assert machines(Client({"status": status})).running("arn:x") is runs


def test_an_execution_that_nobody_knows_runs_no_more_and_a_native_one_is_not_asked_for() -> None:
    assert not machines(Client(NotFound("aws_not_found", "x"))).running("arn:x")
    client = Client({"status": "RUNNING"})
    assert not machines(client).running("native:token")
    assert client.asked == []


def test_an_execution_is_started_by_name_with_texts_only() -> None:
    client = Client({"executionArn": "arn:x"})
    assert machines(client).start("rotate", "name", {"secret": NAME}) == "arn:x"
    (asked,) = client.asked
    assert (asked["stateMachineArn"], asked["name"], json.loads(asked["input"])) == (
        "arn:rotate",
        "name",
        {"secret": NAME},
    )


class Answered:
    """Lambda's answer to a look."""

    def __init__(self, **said: str) -> None:
        self._said = said

    def invoke(self, **_: Any) -> dict[str, Any]:
        return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(self._said).encode())}


def looked(**said: str) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        PinnedFunctions(Answered(**said), {}, "live", a_caller()).inspect("function", "run")
    return caught.value


def test_why_a_function_could_not_look_is_passed_on_in_its_own_words() -> None:
    error = Unavailable("breaker_open", "vault failed 5 times in a row; no call until 2026-01-01T00:01:00.000000Z")
    passed_on = looked(errorType="Unavailable", errorMessage=str(error))
    assert (passed_on.reason, passed_on.message) == (error.reason, error.message)


@pytest.mark.parametrize(
    ("kind", "message"), [("ValueError", "cannot read 'hunter2' [bad_value]"), ("Unavailable", "hunter2"), ("", "")]
)
def test_of_an_error_that_nobody_foresaw_nothing_is_quoted(kind: str, message: str) -> None:
    passed_on = looked(errorType=kind, errorMessage=message)
    assert passed_on.reason == "inspection_failed"
    assert "hunter2" not in str(passed_on)
