"""Amazon States Language generated from the table of phases.

The state carries references only: secret, run id, epoch, function, outcome, reason. Outcomes are data and Choice states
route on them; an exception is the unexpected and the task is retried as a whole. Timeouts are literal numbers.
Not here: what a phase does (`steps`), and any name of a stack: the control function's ARN is the only argument.
"""

from __future__ import annotations

from typing import Any

from rotation.phases import RETIRE, ROTATE, UNDO, Outcome, Phase, Where, active

# Above the function's own timeout (60 s), so that a task never ends while its invocation still works.
TASK_TIMEOUT_S = 75
FUNCTION_TIMEOUT_S = 60
# 5 + 10 + 20 + 40 + 80 s outlasts a provider that is down for a minute, twice over. Without jitter, which could halve
# it: runs are spread over time before they start.
RETRY_INTERVAL_S = 5
RETRY_BACKOFF = 2
RETRY_ATTEMPTS = 5
# Post-promotion health is looked at again after this pause.
LOOK_PAUSE_S = 10

_FAILED = "failed"
# What is kept of a function's answer: anything else it says never reaches the state.
_OUTCOME = ("outcome", "reason")
_RUN = (*_OUTCOME, "run_id", "epoch", "function", "warm_up_s")


def rotate_definition(control_arn: str) -> dict[str, Any]:
    """The machine `rotate`. Input: `{secret, reason, requested_by}` of strings."""
    return _machine(active(ROTATE), active(UNDO), control_arn, "One credential, from claim to record.")


def retire_definition(control_arn: str) -> dict[str, Any]:
    """The machine `retire`. Input: `{secret, reason, requested_by}`; ends the overlap and proves the old one dead."""
    return _machine(active(RETIRE), (), control_arn, "The end of an overlap: revoke, prove dead, dispose.")


def sweep_definition(control_arn: str) -> dict[str, Any]:
    """The machine `sweep`: one look at what is due, which starts the other two."""
    look = _task(control_arn, {"phase": "sweep", "execution.$": "$$.Execution.Id"}, "$.last", _OUTCOME)
    return {
        "Comment": "Starts what is due.",
        "StartAt": "sweep",
        "States": {"sweep": {**look, "End": True}},
    }


def _machine(phases: tuple[Phase, ...], undo: tuple[Phase, ...], control_arn: str, comment: str) -> dict[str, Any]:
    states: dict[str, Any] = {}
    followers = [p.name for p in phases[1:]] + ["ended"]
    for phase, follower in zip(phases, followers, strict=True):
        states |= _states_of(phase, follower, control_arn)
    for phase in undo:
        states |= _undo_states(phase, control_arn)
    states |= _endings(control_arn)
    return {"Comment": comment, "StartAt": phases[0].name, "States": states}


def _states_of(phase: Phase, follower: str, control_arn: str) -> dict[str, Any]:
    if phase.where is Where.WAIT:
        return {phase.name: {"Type": "Wait", "SecondsPath": f"$.run.{phase.name}_s", "Next": follower}}
    first = phase.name in ("claim", "gate")
    result = "$.run" if first else "$.last"
    task = _phase_task(phase, control_arn, first=first, result=result)
    failure = phase.on_failure
    # the unexpected, retries spent: the undoing phase judges from ledger and store how far the run came
    task["Catch"] = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": f"{phase.name}_broke"}]
    routed = f"{phase.name}_outcome"
    choices = [_when(f"{result}.outcome", Outcome.PASSED, follower)]
    states = {phase.name: {**task, "Next": routed}}
    if phase.looks:
        choices.append(_when(f"{result}.outcome", Outcome.UNOBSERVED, f"{phase.name}_pause"))
        states[f"{phase.name}_pause"] = {"Type": "Wait", "Seconds": LOOK_PAUSE_S, "Next": phase.name}
    states[routed] = {"Type": "Choice", "Choices": choices, "Default": f"{phase.name}_failed"}
    states[f"{phase.name}_failed"] = _remember(phase.name, f"{result}.reason", failure)
    states[f"{phase.name}_broke"] = _remember(phase.name, None, failure)
    return states


def _undo_states(phase: Phase, control_arn: str) -> dict[str, Any]:
    task = _phase_task(phase, control_arn, first=False, result="$.undone")
    task["Catch"] = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "record_failure"}]
    return {phase.name: {**task, "Next": "record_failure"}}


def _endings(control_arn: str) -> dict[str, Any]:
    payload = {
        "phase": "record_failure",
        "execution.$": "$$.Execution.Id",
        "secret.$": "$.secret",
        "failure.$": "$.failure",
    }
    record = _task(control_arn, payload, "$.last", _OUTCOME)
    record["Catch"] = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": _FAILED}]
    return {
        "record_failure": {**record, "Next": _FAILED},
        "ended": {"Type": "Succeed"},
        _FAILED: {"Type": "Fail", "ErrorPath": "$.failure.reason", "CausePath": "$.failure.phase"},
    }


def _phase_task(phase: Phase, control_arn: str, *, first: bool, result: str) -> dict[str, Any]:
    payload: dict[str, Any] = {"phase": phase.name, "execution.$": "$$.Execution.Id", "secret.$": "$.secret"}
    if first:
        payload |= {"reason.$": "$.reason", "requested_by.$": "$.requested_by"}
    else:
        payload |= {"run_id.$": "$.run.run_id", "epoch.$": "$.run.epoch"}
    function = control_arn if phase.where is Where.CONTROL else "$.run.function"
    return _task(function, payload, result, _RUN if first else _OUTCOME)


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
