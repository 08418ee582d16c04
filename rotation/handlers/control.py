"""The control function: first and last phases of the machines, and the verbs of people and of the schedule."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from rotation.handlers import quick_start
from rotation import aws_client
from rotation.catalogue import Catalogue
from rotation.control import claims, records, verbs
from rotation.control.cloud import PinnedFunctions, StateMachines
from rotation.control.desk import Desk, run_id_of
from rotation.environment import Workshop, caller, needed
from rotation.errors import KeyturnError, Refused
from rotation.event_fields import mapping, text, texts
from rotation.logs import configure
from rotation.phases import Outcome

_LOG = logging.getLogger("keyturn")
# The alias that a deployment moves.
ALIAS = "live"

Action = Callable[[Desk, Mapping[str, Any]], Any]

PHASES: dict[str, Action] = {
    "claim": lambda desk, e: claims.claim(desk, _request(e)),
    "gate": lambda desk, e: claims.gate(desk, _request(e)),
    "record": lambda desk, e: records.record(desk.ledger, text(e, "run_id")),
    "record_failure": lambda desk, e: records.record_failure(
        desk.ledger, text(e, "secret"), text(e, "execution"), _failure(e)
    ),
    "sweep": lambda desk, _: {"outcome": Outcome.PASSED, "reason": "", "started": verbs.sweep(desk)},
}

VERBS: dict[str, Action] = {
    "rotate": lambda desk, e: verbs.rotate(desk, text(e, "secret"), text(e, "reason"), text(e, "requested_by")),
    "retire": lambda desk, e: verbs.retire(desk, text(e, "secret"), text(e, "reason"), text(e, "requested_by")),
    "status": lambda desk, e: verbs.status(desk, texts(e, "secrets")),
    "history": lambda desk, e: verbs.history(desk, text(e, "secret")),
    "run": lambda desk, e: verbs.run(desk, text(e, "run_id")),
}


def _request(event: Mapping[str, Any]) -> claims.Request:
    return claims.Request(
        secret=text(event, "secret"),
        execution=text(event, "execution"),
        reason=text(event, "reason"),
        requested_by=text(event, "requested_by"),
    )


def _failure(event: Mapping[str, Any]) -> dict[str, str]:
    failure = mapping(event, "failure")
    cause = {"cause": text(failure, "cause")} if failure.get("cause") else {}
    return {"phase": text(failure, "phase"), "reason": text(failure, "reason"), **cause}


def _run_of(event: Mapping[str, Any]) -> str:
    """The run that an event is about, for the log: the first and last phases know it by their execution only."""
    execution = event.get("execution")
    return str(event.get("run_id") or (run_id_of(execution) if isinstance(execution, str) else ""))


class ControlFunction:
    """Routes an event to a phase (answers data, raises the unexpected) or a verb (answers `{ok, ...}`)."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._bound: dict[str, str] = {}
        configure(environment.get("LOG_LEVEL", "INFO"), environment.get("PII_KEYS", "").split(","), self._bound)
        self._workshop = Workshop(environment)
        self._s3 = aws_client.client("s3")
        self._states = aws_client.client("stepfunctions")
        self._lambda = aws_client.client("lambda")
        self._bucket = needed(environment, "KEYTURN_CATALOGUE_BUCKET")
        self._functions: dict[str, str] = json.loads(needed(environment, "KEYTURN_FUNCTIONS"))
        self._machines = {
            "rotate": needed(environment, "KEYTURN_ROTATE_MACHINE_ARN"),
            "retire": needed(environment, "KEYTURN_RETIRE_MACHINE_ARN"),
        }

    def handle(self, event: Mapping[str, Any], request_id: str) -> Any:
        """Event `{phase, ...}` from a machine or `{verb, ...}` from a person."""
        event = mapping(event)
        self._bound.update(request_id=request_id, run_id=_run_of(event))
        if "phase" in event:
            answer = _action(PHASES, event["phase"])(self._desk(), event)
            _LOG.info("phase ended", extra={"fields": {"phase": event["phase"], "answer": answer}})
            return answer
        return self._verb(event)

    def _verb(self, event: Mapping[str, Any]) -> dict[str, Any]:
        try:
            result = _action(VERBS, event.get("verb"))(self._desk(), event)
        except KeyturnError as exc:
            _LOG.warning("verb refused", extra={"fields": {"verb": event.get("verb"), "reason": exc.reason}})
            return {"ok": False, "reason": exc.reason, "message": exc.message, "remedy": exc.remedy}
        return {"ok": True, "result": result}

    def _desk(self) -> Desk:
        bench = self._workshop.bench()
        meter, breaker = bench.meter, bench.breaker
        return Desk(
            ledger=bench.ledger,
            catalogue=Catalogue(self._s3, self._bucket, caller("s3", meter, breaker)),
            machines=StateMachines(self._states, self._machines, caller("states", meter, breaker)),
            functions=PinnedFunctions(self._lambda, self._functions, ALIAS, caller("lambda", meter, breaker)),
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
