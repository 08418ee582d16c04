"""The bus of a deployed stack: events put on it, and what control answered to them, as its log has it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from runs_stack import PREFIX, Stack, until

# Lambda tries an asynchronous invocation three times.
_DELIVERIES = 3
# AWS waits a minute before the second one; a control that answers at all has done so by now.
_REDELIVERY_S = 40.0
CONTROL = f"{PREFIX}-control"
ACCOUNT = "000000000000"


def trigger(id_: str, kind: str, **more: Any) -> dict[str, Any]:
    """The detail of a `keyturn.trigger/1` of now."""
    now = datetime.now(UTC).isoformat()
    return {"schema": "keyturn.trigger/1", "id": id_, "kind": kind, "occurred_at": now, "actor": "scanner", **more}


def put(stack: Stack, detail: dict[str, Any]) -> None:
    """Put an event on the account's own bus."""
    entry = {"Source": "keyturn.triggers", "DetailType": "Keyturn Trigger", "Detail": json.dumps(detail)}
    assert stack.aws("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def answers(stack: Stack, id_: str) -> list[dict[str, Any]]:
    """What control answered to the deliveries of an event, in order."""
    # the rest of the log is long, at DEBUG
    where = {"logGroupName": f"/aws/lambda/{CONTROL}", "filterPattern": '"answered" ' + f'"{id_}"'}
    pages = stack.aws("logs").get_paginator("filter_log_events").paginate(**where)
    lines = [json.loads(event["message"]) for page in pages for event in page["events"]]
    return [line for line in lines if line["message"] == "event answered"]


def sent(stack: Stack, id_: str, send: Callable[[], None], times: int = 1) -> dict[str, Any]:
    """Send an event until control has answered it so many times; the latest answer.

    AWS delivers again what a function failed at (a store that was busy for a moment); the emulator's bus never does.
    """
    said = f"{times} answers to {id_}"
    for _ in range(_DELIVERIES - 1):
        send()
        with suppress(AssertionError):
            return _answered(stack, id_, times, said, _REDELIVERY_S)
    send()
    return _answered(stack, id_, times, said, _REDELIVERY_S)


def _answered(stack: Stack, id_: str, times: int, said: str, seconds: float) -> dict[str, Any]:
    return until(lambda: f if len(f := answers(stack, id_)) >= times else None, said, seconds)[-1]


def deliver(stack: Stack, event: dict[str, Any]) -> dict[str, Any]:
    """Invoke control as a rule of the bus does, for events that nobody but AWS may put on it; its answer."""
    answer = stack.aws("lambda").invoke(FunctionName=f"{CONTROL}:live", Payload=json.dumps(event).encode())
    assert "FunctionError" not in answer, answer
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    return said


def rotations(stack: Stack, secret: str) -> list[dict[str, Any]]:
    """The secret's rotations, oldest first."""
    return [run for run in stack.verb("history", secret=secret) if run["machine"] == "rotate"]


def replaced(stack: Stack, secret: str, before: int) -> dict[str, Any]:
    """The one rotation after `before` of them, once it has succeeded and what it replaced is retired."""

    def look() -> dict[str, Any] | None:
        later = rotations(stack, secret)[before:]
        head = stack.head(secret)
        ended = later and later[-1]["status"] == "succeeded" and not head["run_id"] and not head["overlap"]
        return later[-1] if ended else None

    run = until(look, f"an emergency rotation of {secret}")
    assert len(rotations(stack, secret)) == before + 1
    return run
