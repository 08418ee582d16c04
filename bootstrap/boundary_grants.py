"""What the boundary of the runtime's roles leaves room for: by service, on this stack's names and secrets.

Wider than any one role, narrower than the account: no IAM, no other stack, nothing that makes or deletes a resource.
A role that the main program gives more than this would be refused by AWS at run time; a test refuses it before.
"""

from __future__ import annotations

from collections.abc import Sequence

from bootstrap.deployment_grants import own_tags
from bootstrap.secret_folders import secret_patterns
from infra.documents import Statement, allow
from infra.grants import ACCESS_KEYS, key_users
from infra.names import Names
from infra.wildcards import (
    ALARM_STATES,
    FINDINGS,
    LOG_DELIVERY,
    LOG_STREAMS,
    NETWORK_INTERFACES,
    TRACES,
    Wildcard,
)
from rotation.control.signals import NAMESPACE
from rotation.policy import Policy

_REASON = "the edge of every role of the stack, by prefix; the roles themselves name their resources"

LEDGER = Wildcard(
    sid="EdgeLedger",
    actions=tuple(
        f"dynamodb:{verb}"
        for verb in ("ConditionCheckItem", "DeleteItem", "DescribeTable", "GetItem", "PutItem", "Query")
    ),
    reason=_REASON,
)
SECRETS = Wildcard(
    sid="EdgeSecrets",
    actions=tuple(
        f"secretsmanager:{verb}"
        for verb in (
            *("DescribeSecret", "GetSecretValue", "ListSecretVersionIds"),
            *("PutSecretValue", "UpdateSecretVersionStage"),
        )
    ),
    reason=_REASON,
)
KEYS = Wildcard(
    sid="EdgeKeys",
    actions=("kms:Decrypt", "kms:GenerateDataKey", "kms:Sign"),
    reason="AWS makes up the ids of keys; the stack's own are told by their tags",
)
CATALOGUE = Wildcard(sid="EdgeCatalogue", actions=("s3:GetObject", "s3:ListBucket"), reason=_REASON)
QUEUES = Wildcard(sid="EdgeQueues", actions=("sqs:SendMessage",), reason=_REASON)
RUNS = Wildcard(
    sid="EdgeRuns",
    actions=("states:DescribeExecution", "states:SendTaskSuccess", "states:StartExecution"),
    reason=_REASON,
)
FUNCTIONS = Wildcard(
    sid="EdgeFunctions",
    actions=tuple(
        f"lambda:{verb}"
        for verb in (
            *("GetAlias", "GetProvisionedConcurrencyConfig", "InvokeFunction"),
            *("ListVersionsByFunction", "UpdateAlias"),
        )
    ),
    reason=_REASON,
)
DEPLOYMENTS = Wildcard(
    sid="EdgeDeployments",
    actions=tuple(
        f"codedeploy:{verb}"
        for verb in (
            *("CreateDeployment", "GetApplicationRevision", "GetDeployment", "GetDeploymentConfig"),
            *("RegisterApplicationRevision", "StopDeployment"),
        )
    ),
    reason="application and groups of the stack by prefix, with the account's and AWS's deployment configurations",
)

NAMED: Sequence[Wildcard] = (LEDGER, SECRETS, KEYS, CATALOGUE, QUEUES, RUNS, FUNCTIONS, DEPLOYMENTS)
# Of the main program's own list: what knows no resource stays as it is.
SHARED: Sequence[Wildcard] = (ALARM_STATES, LOG_DELIVERY, NETWORK_INTERFACES, TRACES)


def boundary(names: Names, policies: Sequence[Policy]) -> list[Statement]:
    """The statements of the boundary."""
    own = names.of("*")
    users = key_users(names, policies)
    codedeploy = (f"application:{own}", f"deploymentgroup:{own}", "deploymentconfig:*")
    return [
        *(wildcard.allow() for wildcard in SHARED),
        FINDINGS.allow(Condition={"StringEquals": {"cloudwatch:namespace": NAMESPACE}}),
        LOG_STREAMS.allow(f"{names.arn('logs', 'log-group')}:{names.log_group('*')}"),
        LEDGER.allow(names.arn("dynamodb", f"table/{own}")),
        SECRETS.allow(*secret_patterns(names, policies)),
        KEYS.allow(names.arn("kms", "key/*"), Condition={"StringEquals": own_tags(names, "ResourceTag")}),
        CATALOGUE.allow(names.bucket_arn, f"{names.bucket_arn}/*"),
        QUEUES.allow(names.queue_arn("*")),
        RUNS.allow(names.machine_arn("*"), names.executions("*")),
        FUNCTIONS.allow(names.function_arn("*")),
        DEPLOYMENTS.allow(*(names.arn("codedeploy", one) for one in codedeploy)),
        *([allow("EdgeAccessKeys", ACCESS_KEYS, users)] if users else []),
    ]
