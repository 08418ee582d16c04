"""One run, from the verb that starts it to its end, with everything that happened in between and nothing else.

While it is under way only its execution is looked at, past the control function: to ask control would be an invocation
that no rotation makes. What the ledger says is asked afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.executions import Execution, executed
from bench.functions import Invocation
from bench.place import Place
from keyturn.answers import Started
from rotation.errors import Refused

REASON = "a benchmark"
# Between two looks at an execution; its length is taken from its history, not from these.
_PAUSE_S = 0.05
# A run takes two seconds; longer than this it is stuck.
_PATIENCE_S = 180.0
# The gate's clock is ours: a moment past the end of the overlap is enough.
_PAST_S = 0.05


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run. `asked_s`: the verb that started it, from here and back."""

    machine: str
    secret: str
    store: str
    asked_s: float
    execution: Execution
    invocations: tuple[Invocation, ...]


def rotate(place: Place, secret: str, at_end: Callable[[], None] = lambda: None) -> Run:
    """Rotate; `at_end` is called before anything else is asked. Refused `not_rotated` when the run did not succeed."""
    return _run(place, "rotate", secret, place.control.rotate, at_end)


def retire(place: Place, secret: str, at_end: Callable[[], None] = lambda: None) -> Run:
    """End the overlap, once it is over; Refused `not_rotated` without a proof that the old credential is dead."""
    return _run(place, "retire", secret, place.control.retire, at_end)


def wait_for_overlap(place: Place, secret: str) -> None:
    """Until the overlap is over."""
    overlap = place.control.status([secret])[0].head.overlap
    if overlap is None:
        raise Refused("not_rotated", f"the rotation of {secret} left no overlap to end", "see `keyturn history`")
    time.sleep(max(0.0, (overlap.retire_at - datetime.now(UTC)).total_seconds()) + _PAST_S)


def _run(
    place: Place, machine: str, secret: str, start: Callable[[str, str], Started], at_end: Callable[[], None]
) -> Run:
    place.functions.invocations()
    begun = time.perf_counter()
    started = start(secret, REASON)
    asked = time.perf_counter() - begun
    wait_for_execution(place, started.execution)
    at_end()
    invocations = tuple(place.functions.invocations())
    _check_end(place, machine, started)
    return Run(
        machine=machine,
        secret=secret,
        store=place.control.status([secret])[0].policy.store,
        asked_s=asked,
        execution=history_of(place, started.execution),
        invocations=invocations,
    )


def wait_for_execution(place: Place, arn: str) -> None:
    """Until it has ended, well or not; Refused `not_rotated` when it does not."""
    deadline = time.monotonic() + _PATIENCE_S
    while place.states.describe_execution(executionArn=arn)["status"] == "RUNNING":
        if time.monotonic() > deadline:
            raise Refused("not_rotated", f"the execution {arn} did not end", "look at its history")
        time.sleep(_PAUSE_S)


def history_of(place: Place, arn: str) -> Execution:
    """The whole history of an execution that has ended."""
    pages = place.states.get_paginator("get_execution_history").paginate(executionArn=arn, includeExecutionData=False)
    return executed(arn, [event for page in pages for event in page["events"]])


def _check_end(place: Place, machine: str, started: Started) -> None:
    """What the ledger says of the end; Refused `not_rotated`."""
    run = place.control.run(started.run_id)
    if run is None or run.status != "succeeded":
        failure = run.failure if run else {}
        told = f"{machine} failed: {failure.get('phase', '?')} {failure.get('reason', '?')}"
        raise Refused("not_rotated", told, "nothing is reported of a run that did not succeed")
    proof = run.step("prove")
    if machine == "retire" and (proof is None or proof.facts.get("proof") != "dead"):
        raise Refused("not_rotated", "the old credential was not proven dead", "see `keyturn history`")
