"""Replicas ask the endpoint, as the caller whom IAM verified, and the end of the overlap follows from nothing else.

The HTTP event and control's own function are real, the gate is that of the retirement's machine, and what counts in the
end is what the target accepts. Not here: every refusal of a message (`test_acknowledge`), every state of a consumer
(`test_acknowledge_gate`); the gateway that verifies the caller is the deployed stack's (`test_runs_acknowledge`).
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from acknowledge_world import ACTOR, LEASE_S, ROLE, STRANGER, Replicas
from function_world import ENVIRONMENT
from http_events import USER, http_event

from rotation.handlers.control import ControlFunction
from tests.model.world import NAME

TEN = [f"replica-{i}" for i in range(10)]
_OK, _FORBIDDEN, _CONFLICT = 200, 403, 409


class Endpoint:
    """Control behind its routes, and the world that it works in."""

    def __init__(self, world: Replicas, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        for name, text in ENVIRONMENT.items():
            monkeypatch.setenv(name, text)
        self._function = ControlFunction(ENVIRONMENT)
        monkeypatch.setattr(self._function, "_desk", lambda: world.desk)
        number = world.secret.current
        assert number is not None
        self._old = world.secret.value(number - 1).unsafe_fields()

    def ask(self, asked: str, by: str, /, **fields: Any) -> tuple[int, dict[str, Any]]:
        """A signed request: status and body."""
        answer = self._function.handle(http_event(asked, caller=by, secret=NAME, **fields), "q")
        return answer["statusCode"], json.loads(answer["body"])

    def say(self, instance: str, version: str, *, caller: str = ACTOR, **forged: Any) -> int:
        """An instance's message; the status that it is answered with."""
        said = {"consumer": "web", "instance": instance, "version": version, "lease_s": LEASE_S, **forged}
        return self.ask("acknowledge", caller, **said)[0]

    def retired(self, execution: str) -> bool:
        """The machine is walked, whatever the sweep and the verbs would say; whether the old credential is dead."""
        status = self.world.retire(execution)
        alive = self._old["token"] in self.world.target.tokens.values()
        assert (status == "succeeded") is not alive
        return not alive

    def closing(self) -> tuple[int, str, str]:
        """What a person is told who would end the overlap."""
        status, said = self.ask("overlap_close", USER, reason="it is late")
        return status, said.get("reason", ""), said.get("message", "")


@pytest.fixture
def endpoint(logging_put_back: None, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    made = Endpoint(Replicas(), monkeypatch)
    made.world.over()
    return made


def test_of_ten_replicas_nine_are_not_enough_and_the_tenth_is_named(endpoint: Endpoint) -> None:
    old, new = endpoint.world.old, endpoint.world.new
    assert {endpoint.say(name, old) for name in TEN} == {_OK}
    assert {endpoint.say(name, new) for name in TEN[:9]} == {_OK}
    status, reason, message = endpoint.closing()
    assert (status, reason, TEN[9] in message, TEN[0] in message) == (_CONFLICT, "not_acknowledged", True, False)
    assert not endpoint.retired("arn:nine")
    assert endpoint.say(TEN[9], new) == _OK
    assert endpoint.retired("arn:ten")


@pytest.mark.parametrize("caller", [STRANGER, USER, ROLE.replace("111122223333", "444455556666"), f"{ROLE}-admin"])
def test_a_forged_acknowledgement_opens_nothing_whoever_it_says_it_is_from(endpoint: Endpoint, caller: str) -> None:
    assert endpoint.say("one", endpoint.world.old) == _OK
    forged = {"requested_by": ACTOR, "actor": ACTOR, "role": ROLE, "verb": "acknowledge"}
    assert endpoint.say("one", endpoint.world.new, caller=caller, **forged) == _FORBIDDEN
    assert endpoint.say("two", endpoint.world.new, caller=caller, **forged) == _FORBIDDEN
    (lease,) = endpoint.world.ledger.leases.of(NAME)
    assert (lease.instance, lease.version, lease.actor) == ("one", endpoint.world.old, ACTOR)
    assert not endpoint.retired("arn:forged")


def test_one_that_died_after_it_had_acknowledged_is_not_waited_for(endpoint: Endpoint) -> None:
    assert endpoint.say("one", endpoint.world.old) == _OK
    assert endpoint.say("one", endpoint.world.new) == _OK
    endpoint.world.clock.advance(LEASE_S + 1)
    _, said = endpoint.ask("consumers", USER)
    (web,) = said["result"]["consumers"]
    assert (web["state"], web["live"]) == ("acknowledged", 0)
    assert endpoint.retired("arn:died")


def test_one_that_died_before_it_had_acknowledged_leaves_nobody_who_has(endpoint: Endpoint) -> None:
    assert endpoint.say("one", endpoint.world.old) == _OK
    endpoint.world.clock.advance(LEASE_S + 1)
    assert not endpoint.retired("arn:silent")


def test_one_that_starts_late_from_an_old_cache_is_waited_for_until_it_has_caught_up(endpoint: Endpoint) -> None:
    assert endpoint.say("one", endpoint.world.new) == _OK
    assert endpoint.say("late", endpoint.world.old) == _OK
    assert endpoint.closing()[:2] == (_CONFLICT, "not_acknowledged")
    assert not endpoint.retired("arn:late")
    assert endpoint.say("late", endpoint.world.new) == _OK
    assert endpoint.retired("arn:caught-up")
