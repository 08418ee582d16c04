"""What people may ask Keyturn: four managed policies over the endpoint's routes, for an administrator to attach.

They stand in the bootstrap, because who deploys must not be able to widen what people may do. Each is whole: a reader
sees, an operator also acts, an approver also answers runs that wait, the emergency hand also stops, mutes and breaks
the glass. All of them forbid the ways past the endpoint, where a caller could name somebody else as the actor. Not
here: who gets which, which is the account's.
"""

from __future__ import annotations

from collections.abc import Sequence

from infra.documents import Statement, allow
from infra.names import CONTROL, Names
from infra.wildcards import Wildcard
from rotation.routes import APPROVE, BREAK_GLASS, EMERGENCY, METHOD, OPERATE, READ, Route

_IDS = "API Gateway makes up the ids of APIs; the path names the verb, and the account is the stack's own"
READ_VERBS = Wildcard(sid="ReadVerbs", actions=("execute-api:Invoke",), reason=_IDS)
OPERATOR_VERBS = Wildcard(sid="OperatorVerbs", actions=("execute-api:Invoke",), reason=_IDS)
APPROVER_VERBS = Wildcard(sid="ApproverVerbs", actions=("execute-api:Invoke",), reason=_IDS)
EMERGENCY_VERBS = Wildcard(sid="EmergencyVerbs", actions=("execute-api:Invoke",), reason=_IDS)
LOOK = Wildcard(
    sid="LookAtRuns",
    actions=("states:DescribeExecution", "states:GetExecutionHistory"),
    reason="executions of the stack's machines are named as they start; their data are references",
)
DOCTOR = Wildcard(
    sid="LookAtParts",
    actions=("lambda:GetFunctionConfiguration",),
    reason="functions of the stack by prefix, with the alias behind the name",
)
MACHINES = Wildcard(
    sid="ListMachines",
    actions=("states:ListStateMachines",),
    reason="the list knows no resource; it shows names only",
)

NAMED: Sequence[Wildcard] = (READ_VERBS, OPERATOR_VERBS, APPROVER_VERBS, EMERGENCY_VERBS, LOOK, DOCTOR, MACHINES)


def people(names: Names) -> dict[str, list[Statement]]:
    """The statements of the policies `reader`, `operator`, `approver` and `emergency`."""
    operate = OPERATOR_VERBS.allow(*_routes(names, OPERATE))
    stop = [
        *_routes(names, EMERGENCY),
        *_routes(names, BREAK_GLASS, break_glass=True),
    ]
    seen = [READ_VERBS.allow(*_routes(names, READ)), *looking(names), _not_past_the_endpoint(names)]
    answer = APPROVER_VERBS.allow(*_routes(names, APPROVE))
    return {
        "reader": seen,
        "operator": [*seen, operate],
        "approver": [*seen, answer],
        "emergency": [*seen, EMERGENCY_VERBS.allow(*stop)],
    }


def looking(names: Names) -> list[Statement]:
    """What the command looks at beside the verbs: where the endpoint is, how an execution ended, what `doctor` asks."""
    return [
        allow("FindEndpoint", ["apigateway:GET"], [f"arn:aws:apigateway:{names.settings.region}::/apis"]),
        LOOK.allow(names.executions("*")),
        DOCTOR.allow(names.function_arn("*")),
        MACHINES.allow(),
    ]


def _routes(names: Names, verbs: Sequence[str], *, break_glass: bool = False) -> list[str]:
    # `<api>/<stage>/<method>/<path>` (API Gateway developer guide, IAM of HTTP APIs)
    return [
        names.arn("execute-api", f"*/$default/{METHOD}{Route(verb, break_glass=break_glass).path}") for verb in verbs
    ]


def _not_past_the_endpoint(names: Names) -> Statement:
    return {
        "Sid": "NotPastTheEndpoint",
        "Effect": "Deny",
        "Action": ["lambda:InvokeFunction", "states:StartExecution"],
        "Resource": [names.function_arn(CONTROL), f"{names.function_arn(CONTROL)}:*", names.machine_arn("*")],
    }
