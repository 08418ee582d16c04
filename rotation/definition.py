"""Amazon States Language generated from the table of phases.

The state carries references only: secret, run id, epoch, function, outcome, reason. Outcomes are data and Choice states
route on them; an exception is the unexpected and the task is retried as a whole. Timeouts are literal numbers.
Not here: what a phase does (`steps`), and any name of a stack: the control function's ARN is the only argument.
"""

from __future__ import annotations

from typing import Any

from rotation.phases import FIRST, REPAIR, RETIRE, ROLLBACK, ROTATE, UNDO, Outcome, Phase, Where, active, phase_named

# Above the function's own timeout (60 s), so that a task never ends while its invocation still works.
TASK_TIMEOUT_S = 75
FUNCTION_TIMEOUT_S = 60
# 5 + 10 + 20 + 40 + 80 s outlasts a provider that is down for a minute, twice over. Without jitter, which could halve
# it: runs are spread over time before they start.
RETRY_INTERVAL_S = 5
RETRY_BACKOFF = 2
RETRY_ATTEMPTS = 5
# A person's answer. The sweep ends the wait for an approval at the policy's own time, a week at most; only where nobody
# sweeps any more does this end it. Who is reminded has sixty days (`handwork`), and may be a month late.
APPROVAL_TIMEOUT_S = 90 * 86_400
# Post-promotion health is looked at again after this pause.
LOOK_PAUSE_S = 10

_FAILED = "failed"
# Control's phase that parks a run which a switch stopped.
_HALT = "record_halt"
# The last phase of a machine that waits for people.
_RECORD = "record"
# What is kept of a function's answer: anything else it says never reaches the state.
_OUTCOME = ("outcome", "reason")
_RUN = (*_OUTCOME, "run_id", "epoch", "function", "warm_up_s")


def rotate_definition(control_arn: str) -> dict[str, Any]:
    """The machine `rotate`. Input of all four: `{secret, reason, requested_by, resume, flags}` of texts."""
    return _machine(active(ROTATE), control_arn, "One credential, from claim to record.")


def retire_definition(control_arn: str) -> dict[str, Any]:
    """The machine `retire`: ends the overlap and proves the old one dead."""
    return _machine(active(RETIRE), control_arn, "The end of an overlap: revoke, prove dead, dispose.")


def rollback_definition(control_arn: str) -> dict[str, Any]:
    """The machine `rollback`: makes the version before current again, at the target first."""
    return _machine(active(ROLLBACK), control_arn, "Back to the version before: target, then store.")


def repair_definition(control_arn: str) -> dict[str, Any]:
    """The machine `repair`: removes one pending version that no run owns."""
    return _machine(active(REPAIR), control_arn, "Removes a pending version that no run owns.")


def sweep_definition(control_arn: str) -> dict[str, Any]:
    """The machine `sweep`: looks at what is due, which starts the others; again while there are slots to come."""
    asked = {"phase": "sweep", "execution.$": "$$.Execution.Id", "begun.$": "$$.Execution.StartTime"}
    look = _task(control_arn, asked, "$.last", _OUTCOME)
    broke = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "sweep_broke"}
    again = _when("$.last.outcome", Outcome.UNOBSERVED, "sweep_pause")
    return {
        "Comment": "Starts what is due.",
        "StartAt": "sweep",
        "States": {
            "sweep": {**look, "Catch": [broke], "Next": "sweep_outcome"},
            "sweep_outcome": {"Type": "Choice", "Choices": [again], "Default": "ended"},
            "sweep_pause": {"Type": "Wait", "Seconds": LOOK_PAUSE_S, "Next": "sweep"},
            "ended": {"Type": "Succeed"},
            "sweep_broke": {"Type": "Fail", "Error": "sweep_broke"},
        },
    }


def _machine(phases: tuple[Phase, ...], control_arn: str, comment: str) -> dict[str, Any]:
    states: dict[str, Any] = {}
    followers = [p.name for p in phases[1:]] + ["ended"]
    for phase, follower in zip(phases, followers, strict=True):
        states |= _states_of(phase, follower, control_arn)
    for phase in _undoing(phases):
        states |= _undo_states(phase, control_arn)
    states |= _endings(control_arn)
    return {"Comment": comment, "StartAt": phases[0].name, "States": states}


def _undoing(phases: tuple[Phase, ...]) -> list[Phase]:
    """The undoing phases that these can reach."""
    reached = {name for phase in phases for name in (phase.on_failure, phase.on_undo)}
    return [phase for phase in active(UNDO) if phase.name in reached]


def _states_of(phase: Phase, follower: str, control_arn: str) -> dict[str, Any]:
    if phase.where is Where.WAIT:
        return {phase.name: {"Type": "Wait", "SecondsPath": f"$.run.{phase.name}_s", "Next": follower}}
    result = "$.run" if phase.name in FIRST else "$.last"
    task = _phase_task(phase, control_arn, result=result)
    task |= _until_answered(task) if phase.by_token else {}
    failure = phase.on_failure
    # the unexpected, retries spent: the undoing phase judges from ledger and store how far the run came
    task["Catch"] = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": f"{phase.name}_broke"}]
    routed = f"{phase.name}_outcome"
    choices = [_when(f"{result}.outcome", Outcome.PASSED, follower)]
    states = {phase.name: {**task, "Next": routed}}
    if phase.looks:
        choices.append(_when(f"{result}.outcome", Outcome.UNOBSERVED, f"{phase.name}_pause"))
        states[f"{phase.name}_pause"] = {"Type": "Wait", "Seconds": LOOK_PAUSE_S, "Next": phase.name}
    if phase.on_undo:
        choices.append(_when(f"{result}.outcome", Outcome.UNDO, f"{phase.name}_undo"))
        states[f"{phase.name}_undo"] = _remember(phase.name, f"{result}.reason", phase.on_undo)
    if phase.on_approval or phase.by_token:
        choices.append(_when(f"{result}.outcome", Outcome.DONE, _RECORD))
    if phase.on_approval:
        choices.append(_when(f"{result}.outcome", Outcome.APPROVAL, phase.on_approval))
        states |= _states_of(phase_named(phase.on_approval), follower, control_arn)
    choices.append(_when(f"{result}.outcome", Outcome.HALTED, f"{phase.name}_halted"))
    states[f"{phase.name}_halted"] = _remember(phase.name, f"{result}.reason", _HALT)
    states[routed] = {"Type": "Choice", "Choices": choices, "Default": f"{phase.name}_failed"}
    states[f"{phase.name}_failed"] = _remember(phase.name, f"{result}.reason", failure)
    states[f"{phase.name}_broke"] = _remember(phase.name, None, failure)
    return states


def _undo_states(phase: Phase, control_arn: str) -> dict[str, Any]:
    task = _phase_task(phase, control_arn, result="$.undone")
    task["Catch"] = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "record_failure"}]
    return {phase.name: {**task, "Next": "record_failure"}}


def _endings(control_arn: str) -> dict[str, Any]:
    return {
        "record_failure": _ending("record_failure", control_arn),
        _HALT: _ending(_HALT, control_arn),
        "ended": {"Type": "Succeed"},
        _FAILED: {"Type": "Fail", "ErrorPath": "$.failure.reason", "CausePath": "$.failure.phase"},
    }


def _ending(phase: str, control_arn: str) -> dict[str, Any]:
    payload = {
        "phase": phase,
        "execution.$": "$$.Execution.Id",
        "secret.$": "$.secret",
        **{f"{name}.$": f"$.{name}" for name in ("reason", "requested_by", "resume")},
        "failure.$": "$.failure",
    }
    task = _task(control_arn, payload, "$.last", _OUTCOME)
    task["Catch"] = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": _FAILED}]
    return {**task, "Next": _FAILED}


def _phase_task(phase: Phase, control_arn: str, *, result: str) -> dict[str, Any]:
    payload: dict[str, Any] = {"phase": phase.name, "execution.$": "$$.Execution.Id", "secret.$": "$.secret"}
    first = phase.name in FIRST
    if first:
        payload |= {f"{name}.$": f"$.{name}" for name in ("reason", "requested_by", "resume", "flags")}
    else:
        payload |= {"run_id.$": "$.run.run_id", "epoch.$": "$.run.epoch"}
    function = control_arn if phase.where is Where.CONTROL else "$.run.function"
    return _task(function, payload, result, _RUN if first else _OUTCOME)


def _until_answered(task: dict[str, Any]) -> dict[str, Any]:
    """What differs in a task that waits until its token is answered: the answer is the result, not the invocation's.

    The end of that long time is not tried again; whatever else breaks is, under another token.
    """
    parameters = task["Parameters"]
    asked = {**parameters, "Payload": {**parameters["Payload"], "token.$": "$$.Task.Token"}}
    late = {"ErrorEquals": ["States.Timeout"], "IntervalSeconds": RETRY_INTERVAL_S, "MaxAttempts": 0}
    return {
        "Resource": f"{task['Resource']}.waitForTaskToken",
        "Parameters": asked,
        "ResultSelector": {f"{key}.$": f"$.{key}" for key in _OUTCOME},
        "TimeoutSeconds": APPROVAL_TIMEOUT_S,
        "Retry": [late, *task["Retry"]],
    }


def _task(function: str, payload: dict[str, Any], result: str, keep: tuple[str, ...]) -> dict[str, Any]:
    name = "FunctionName.$" if function.startswith("$") else "FunctionName"
    retry = {
        "ErrorEquals": ["States.ALL"],
        "IntervalSeconds": RETRY_INTERVAL_S,
        "BackoffRate": RETRY_BACKOFF,
        "MaxAttempts": RETRY_ATTEMPTS,
    }
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {name: function, "Payload": payload},
        "ResultSelector": {f"{key}.$": f"$.Payload.{key}" for key in keep},
        "ResultPath": result,
        "TimeoutSeconds": TASK_TIMEOUT_S,
        "Retry": [retry],
    }


def _when(variable: str, value: str, following: str) -> dict[str, Any]:
    return {"Variable": variable, "StringEquals": value, "Next": following}


def _remember(phase: str, reason_path: str | None, following: str) -> dict[str, Any]:
    """Where it failed and why. The unexpected has no reason of its own: its error goes along for control to shorten."""
    cause = {"reason": f"{phase}_broke", "cause.$": "States.JsonToString($.error)"}
    why = {"reason.$": reason_path} if reason_path else cause
    return {"Type": "Pass", "Parameters": {"phase": phase, **why}, "ResultPath": "$.failure", "Next": following}


# Every machine of a stack, by name.
DEFINITIONS = {
    "rotate": rotate_definition,
    "retire": retire_definition,
    "rollback": rollback_definition,
    "repair": repair_definition,
    "sweep": sweep_definition,
}
