"""The control function: first and last phases of the machines, verbs of people and of the schedule, events."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from rotation.handlers import endpoint, quick_start
from rotation import aws_client
from rotation.control import triggers
from rotation.control.cloud import LOOK_TIMEOUT_S, PinnedFunctions, StateMachines
from rotation.control.desk import Desk, run_id_of
from rotation.control.signals import MetricSignals
from rotation.control.table import PHASES, VERBS, Action
from rotation.control.waits import StepFunctionsTokens
from rotation.environment import Workshop, caller, needed
from rotation.errors import KeyturnError, Refused
from rotation.event_fields import mapping
from rotation.handlers.notices import Board
from rotation.handlers.shelf import Shelf
from rotation.incidents.incident import Ours
from rotation.incidents.reading import MARK
from rotation.logs import configure

_LOG = logging.getLogger("keyturn")
# The alias that a deployment moves.
ALIAS = "live"


def _run_of(event: Mapping[str, Any]) -> str:
    """The run that an event is about, for the log: the first and last phases know it by their execution only."""
    execution = event.get("execution")
    return str(
        event.get("run_id") or event.get("resume") or (run_id_of(execution) if isinstance(execution, str) else "")
    )


class ControlFunction:
    """Routes an event to a phase (answers data, raises the unexpected) or a verb (answers an HTTP response)."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._bound: dict[str, str] = {}
        configure(environment.get("LOG_LEVEL", "INFO"), environment.get("PII_KEYS", "").split(","), self._bound)
        self._workshop = Workshop(environment)
        self._shelf = Shelf(environment)
        self._board = Board(environment)
        self._states = aws_client.client("stepfunctions")
        self._lambda = aws_client.client("lambda", read_timeout_s=LOOK_TIMEOUT_S)
        self._metrics = aws_client.client("cloudwatch")
        self._stack = needed(environment, "KEYTURN_STACK")
        self._published = environment.get("KEYTURN_PUBLISHED", "")
        self._functions: dict[str, str] = json.loads(needed(environment, "KEYTURN_FUNCTIONS"))
        self._machines = {
            "rotate": needed(environment, "KEYTURN_ROTATE_MACHINE_ARN"),
            "retire": needed(environment, "KEYTURN_RETIRE_MACHINE_ARN"),
            "rollback": needed(environment, "KEYTURN_ROLLBACK_MACHINE_ARN"),
            "repair": needed(environment, "KEYTURN_REPAIR_MACHINE_ARN"),
        }

        # an ARN's fifth part is the account; the roles of the functions are called as the functions are
        account = self._machines["rotate"].split(":")[4]
        own = {*self._functions.values(), environment.get("AWS_LAMBDA_FUNCTION_NAME", "")} - {""}
        self._ours = Ours(account=account, functions=frozenset(own))

    def handle(self, event: Mapping[str, Any], request_id: str) -> Any:
        """Event `{phase, ...}` from a machine, one of the bus, or what the endpoint makes of a person's request."""
        event = mapping(event)
        self._bound.update(request_id=request_id, run_id=_run_of(event))
        if "phase" in event:
            answer = _action(PHASES, event["phase"])(self._desk(), event)
            _LOG.info("phase ended", extra={"fields": {"phase": event["phase"], "answer": answer}})
            return answer
        return self._followed(event) if MARK in event else self._verb(event)

    def _followed(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """What an event of the bus led to."""
        answer = triggers.respond(self._desk(), event, self._ours)
        # a line of the log hides what stands under the name of a secret
        policies = [f"{name} {what}" for name, what in answer["secrets"].items()]
        told = {name: text for name, text in answer.items() if name != "secrets"}
        _LOG.info("event answered", extra={"fields": {**told, "policies": policies}})
        return answer

    def _verb(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The response to a verb; `requested_by` among its fields is the caller who IAM verified."""
        about = {"route": event.get("routeKey")}
        try:
            request = endpoint.read(event)
            about |= {"actor": request.actor}
            result = _action(VERBS, request.verb)(self._desk(), request.fields)
        except KeyturnError as exc:
            _LOG.warning("verb refused", extra={"fields": {**about, "reason": exc.reason}})
            return endpoint.refused(exc)
        _LOG.info("verb answered", extra={"fields": about})
        return endpoint.answered(result)

    def _desk(self) -> Desk:
        bench = self._workshop.bench()
        meter, breaker = bench.meter, bench.breaker
        return Desk(
            ledger=bench.ledger,
            catalogue=self._shelf.catalogue(bench),
            machines=StateMachines(self._states, self._machines, caller("states", meter, breaker)),
            functions=PinnedFunctions(self._lambda, self._functions, ALIAS, caller("lambda", meter, breaker)),
            table_id=bench.rows.identity,
            signals=MetricSignals(self._metrics, self._stack, caller("cloudwatch", meter, breaker)),
            tokens=StepFunctionsTokens(self._states, caller("states", meter, breaker)),
            notices=self._board.notices(bench),
            stack=self._stack,
            published=self._published,
        )


def _action(table: Mapping[str, Action], name: object) -> Action:
    if not isinstance(name, str) or name not in table:
        raise Refused("unknown_verb", "the event asks for nothing that this version knows", "deploy again")
    return table[name]


@cache
def _function() -> ControlFunction:
    return ControlFunction(os.environ)


def handle(event: Mapping[str, Any], context: Any) -> Any:
    """Lambda's entry point."""
    return _function().handle(event, context.aws_request_id)


quick_start.done()
