"""An in-process walker of the generated state machines: Task with Retry and Catch, Choice, Pass, Wait, Succeed, Fail.

Source: the Amazon States Language specification. It walks what `rotation.definition` generates, so that order, retries,
compensation and what is passed on are those that are deployed. What it pretends: a Wait moves a clock instead of time,
a task's timeout never comes, and only what the definitions use is understood: anything else is an error. A task that
waits for its token ends with what `answered` says; every attempt has a token of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rotation.errors import KeyturnError
from tests.model.clock import Clock

Invoke = Callable[[str, Mapping[str, Any]], Any]
Answered = Callable[[str], Mapping[str, Any]]
_WAITS = ".waitForTaskToken"


class InvocationLost(Exception):
    """A function's process ended without an answer. `retries_spent`: and so did those of every further attempt."""

    def __init__(self, where: str, *, retries_spent: bool) -> None:
        super().__init__(where)
        self.retries_spent = retries_spent


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How an execution ended: `error` and `cause` are empty where it succeeded."""

    succeeded: bool
    error: str = ""
    cause: str = ""


def _never(token: str) -> Mapping[str, Any]:
    raise AssertionError(f"nobody answers {token}")


@dataclass
class Walker:
    """Walks one execution. `invoke(function, payload)` is the call of a function; KeyturnError is what it may raise.

    `answered(token)` is what a task that waits by this token is told in the end; what it may raise is as for `invoke`.
    """

    definition: Mapping[str, Any]
    execution: str
    invoke: Invoke
    clock: Clock
    answered: Answered = _never
    attempts: int = 0

    def walk(self, given: Mapping[str, Any]) -> Ended:
        """From the first state to the last."""
        state: dict[str, Any] = dict(given)
        name = self.definition["StartAt"]
        while True:
            found = self.definition["States"][name]
            kind = found["Type"]
            if kind == "Succeed":
                return Ended(succeeded=True)
            if kind == "Fail":
                error, cause = (str(self._at(found[path], state)) for path in ("ErrorPath", "CausePath"))
                return Ended(succeeded=False, error=error, cause=cause)
            name = _KINDS[kind](self, found, state)

    def _task(self, found: Mapping[str, Any], state: dict[str, Any]) -> str:
        try:
            answer = self._tried(found, state)
        except (KeyturnError, InvocationLost) as exc:
            (catch,) = found["Catch"]
            _put(state, catch["ResultPath"], {"Error": type(exc).__name__, "Cause": str(exc)})
            return str(catch["Next"])
        _put(state, found["ResultPath"], self._filled(found["ResultSelector"], answer))
        return str(found["Next"])

    def _tried(self, found: Mapping[str, Any], state: Mapping[str, Any]) -> Mapping[str, Any]:
        retry = next(one for one in found["Retry"] if one["ErrorEquals"] == ["States.ALL"])
        pause = float(retry["IntervalSeconds"])
        for _ in range(int(retry["MaxAttempts"])):
            try:
                return self._attempt(found, state)
            except InvocationLost as exc:
                if exc.retries_spent:
                    raise
            except KeyturnError:
                pass
            self.clock.advance(pause)
            pause *= float(retry["BackoffRate"])
        return self._attempt(found, state)

    def _attempt(self, found: Mapping[str, Any], state: Mapping[str, Any]) -> Mapping[str, Any]:
        self.attempts += 1
        parameters = self._filled(found["Parameters"], state)
        answer = self.invoke(parameters["FunctionName"], parameters["Payload"])
        return (
            self.answered(parameters["Payload"]["token"]) if found["Resource"].endswith(_WAITS) else {"Payload": answer}
        )

    def _choice(self, found: Mapping[str, Any], state: dict[str, Any]) -> str:
        for choice in found["Choices"]:
            if self._at(choice["Variable"], state) == choice["StringEquals"]:
                return str(choice["Next"])
        return str(found["Default"])

    def _pass(self, found: Mapping[str, Any], state: dict[str, Any]) -> str:
        _put(state, found["ResultPath"], self._filled(found["Parameters"], state))
        return str(found["Next"])

    def _wait(self, found: Mapping[str, Any], state: dict[str, Any]) -> str:
        self.clock.advance(float(self._at(found["SecondsPath"], state) if "SecondsPath" in found else found["Seconds"]))
        return str(found["Next"])

    def _filled(self, template: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters: a name that ends with `.$` is looked up, objects are filled likewise."""
        filled: dict[str, Any] = {}
        for name, value in template.items():
            if name.endswith(".$"):
                filled[name[:-2]] = self._at(value, state)
            else:
                filled[name] = self._filled(value, state) if isinstance(value, Mapping) else value
        return filled

    def _at(self, path: str, state: Mapping[str, Any]) -> Any:
        if path == "$$.Execution.Id":
            return self.execution
        if path == "$$.Task.Token":
            return f"token {self.attempts} of {self.execution}"
        if path.startswith("States.JsonToString("):
            return json.dumps(self._at(path[len("States.JsonToString(") : -1], state))
        found: Any = state
        for name in path.removeprefix("$.").split("."):
            found = found[name]
        # what a machine passes on is JSON
        return json.loads(json.dumps(found))


_KINDS: Mapping[str, Callable[[Walker, Mapping[str, Any], dict[str, Any]], str]] = {
    "Task": Walker._task,
    "Choice": Walker._choice,
    "Pass": Walker._pass,
    "Wait": Walker._wait,
}


def _put(state: dict[str, Any], path: str, value: object) -> None:
    state[path.removeprefix("$.")] = value
