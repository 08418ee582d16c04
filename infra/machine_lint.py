"""The lint of the generated state machines: `python -m infra.machine_lint`, a part of `make check`.

Structure is judged by cfn-lint (its rule E3601 holds the schema of the States Language); what a schema cannot see is
judged here: every state that is named exists, every state is reached, every task has timeout, retry and catch, and a
worst-case run stays far below Step Functions' limit of history events.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from rotation.definition import DEFINITIONS
from rotation.phases import TABLES

# Step Functions ends an execution after 25,000 events; a tenth leaves room for phases to come.
MAX_EVENTS = 2_500
# A task enters, schedules, starts and ends per attempt, and exits.
_EVENTS_PER_ATTEMPT = 5
_ARN = "arn:aws:lambda:us-east-1:000000000000:function:control:live"
_ROLE = "arn:aws:iam::000000000000:role/machine"

Definition = Mapping[str, Any]


def definitions() -> dict[str, Definition]:
    """The machines by name, for an example of a control function."""
    return {name: define(_ARN) for name, define in DEFINITIONS.items()}


def problems(definition: Definition) -> list[str]:
    """Everything wrong with one definition, one sentence each; empty when it is sound."""
    graph = [*_dangling(definition), *_unreached(definition), *_careless_tasks(definition), *_too_long(definition)]
    return _schema_problems(definition) + graph


def _schema_problems(definition: Definition) -> list[str]:
    # imported here: cfn-lint takes seconds to import, and the program only wants the rest
    from cfnlint.api import ManualArgs, lint  # noqa: PLC0415

    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"RoleArn": _ROLE, "DefinitionString": json.dumps(definition)},
    }
    template = json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Machine": machine}})
    return [str(match) for match in lint(template, config=ManualArgs(regions=["us-east-1"]))]


def _followers(state: Mapping[str, Any]) -> Iterator[str]:
    for place in (state, *state.get("Choices", ()), *state.get("Catch", ())):
        if "Next" in place:
            yield place["Next"]
    if "Default" in state:
        yield state["Default"]


def _dangling(definition: Definition) -> Iterator[str]:
    states = definition["States"]
    for name, state in states.items():
        for follower in _followers(state):
            if follower not in states:
                yield f"state {name} goes to {follower}, which does not exist"


def _unreached(definition: Definition) -> Iterator[str]:
    states = definition["States"]
    reached: set[str] = set()
    waiting = [definition["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name in states and name not in reached:
            reached.add(name)
            waiting += _followers(states[name])
    for name in states:
        if name not in reached:
            yield f"state {name} is never reached"


def _careless_tasks(definition: Definition) -> Iterator[str]:
    for name, state in definition["States"].items():
        if state["Type"] != "Task":
            continue
        for wanted in ("TimeoutSeconds", "Retry"):
            if wanted not in state:
                yield f"task {name} has no {wanted}"
        if "Catch" not in state and "End" not in state:
            yield f"task {name} has no Catch"


def _too_long(definition: Definition) -> Iterator[str]:
    looks = {phase.name: phase.looks for table in TABLES.values() for phase in table}
    events = 0
    for name, state in definition["States"].items():
        attempts = 1 + sum(retry["MaxAttempts"] for retry in state.get("Retry", ()))
        events += attempts * _EVENTS_PER_ATTEMPT * (1 + looks.get(name, 0))
    if events > MAX_EVENTS:
        yield f"a worst-case run makes {events} history events, more than {MAX_EVENTS}"


def main() -> int:
    """Print every problem; 1 when there is one."""
    found = [f"{name}: {problem}" for name, definition in definitions().items() for problem in problems(definition)]
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
