"""What the history of an execution says: state transitions, how long each state took, how much of it was waiting.

A transition is a state entered, and once more for each retry of its task, as Step Functions bills them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.functions import EVENT_BYTES

# How Step Functions logs an event without execution data: the names around what the event itself says.
_AROUND = ("execution_arn", "event_timestamp", "previous_event_id", "redrive_count")
# Tasks that ended thus are tried again, or caught; a caught one is not scheduled a second time.
_SCHEDULED = "TaskScheduled"


@dataclass(frozen=True, kw_only=True)
class Execution:
    """`wall_s` from start to end, `waited_s` of it in Wait states, `tasks` the seconds of each Task by its name."""

    transitions: int
    wall_s: float
    waited_s: float
    tasks: dict[str, float]
    log_bytes: int

    @property
    def busy_s(self) -> float:
        """The wall time without the waits that the policy asks for."""
        return self.wall_s - self.waited_s

    @property
    def between_s(self) -> float:
        """The machine's own part: choices, and the ways between the states."""
        return self.busy_s - sum(self.tasks.values())


def executed(arn: str, events: Sequence[dict[str, Any]]) -> Execution:
    """The execution behind its whole history, oldest event first."""
    entered: dict[str, datetime] = {}
    spans: dict[str, list[float]] = {"Task": [], "Wait": []}
    tasks: dict[str, float] = {}
    for event in events:
        if "stateEnteredEventDetails" in event:
            entered[event["stateEnteredEventDetails"]["name"]] = event["timestamp"]
        if "stateExitedEventDetails" in event:
            name, kind = event["stateExitedEventDetails"]["name"], str(event["type"]).removesuffix("StateExited")
            took = (event["timestamp"] - entered[name]).total_seconds()
            spans.setdefault(kind, []).append(took)
            if kind == "Task":
                tasks[name] = tasks.get(name, 0.0) + took
    return Execution(
        transitions=_transitions(events),
        wall_s=(events[-1]["timestamp"] - events[0]["timestamp"]).total_seconds(),
        waited_s=sum(spans["Wait"]),
        tasks=tasks,
        log_bytes=sum(_logged(arn, event) for event in events),
    )


def _transitions(events: Sequence[dict[str, Any]]) -> int:
    """A state entered is one, and each further attempt of its task."""
    states = sum("stateEnteredEventDetails" in event for event in events)
    first = sum(bool(event["type"] == "TaskStateEntered") for event in events)
    attempts = sum(bool(event["type"] == _SCHEDULED) for event in events)
    return states + max(0, attempts - first)


def _logged(arn: str, event: dict[str, Any]) -> int:
    details = {name: _plain(value) for name, value in event.items() if name not in {"timestamp", "previousEventId"}}
    line = {**details, **dict.fromkeys(_AROUND, ""), "execution_arn": arn, "event_timestamp": "0" * 13}
    return len(json.dumps(line)) + EVENT_BYTES


def _plain(value: Any) -> Any:
    """Without inputs and outputs, which the machines do not log."""
    if isinstance(value, dict):
        return {k: v for k, v in value.items() if k not in {"input", "output", "parameters"} and isinstance(v, str)}
    return value if isinstance(value, int) else str(value)
