"""Every permission of the deployment role whose resource is `*` or a pattern: the only place that spells one.

A role that makes things cannot name them by an ARN that AWS will make up; each pattern is the stack's prefix, a folder
of secrets, or a tag. As in `infra.wildcards` the entry's name is the statement's Sid, so that tests hold both
directions. Actions are those that pulumi-aws calls to make, read, change and delete the types the program declares.
"""

from __future__ import annotations

from collections.abc import Sequence

from infra.wildcards import Wildcard


def _of(service: str, *verbs: str) -> tuple[str, ...]:
    return tuple(f"{service}:{verb}" for group in verbs for verb in group.split())


_TAGS = "ListTagsForResource TagResource UntagResource"

STATE = Wildcard(
    sid="StateOfThisStack",
    actions=_of("s3", "DeleteObject GetObject PutObject"),
    reason="Pulumi names histories, backups and locks by time; the folders are those of this project and stack only",
)
ROLES_WITH_BOUNDARY = Wildcard(
    sid="RolesWithBoundary",
    actions=_of("iam", "CreateRole PutRolePermissionsBoundary PutRolePolicy"),
    reason="roles of the stack by prefix, and only while they carry the boundary",
)
ROLES = Wildcard(
    sid="RolesOfTheStack",
    actions=_of(
        "iam",
        "DeleteRole DeleteRolePolicy GetRole GetRolePolicy ListAttachedRolePolicies ListInstanceProfilesForRole",
        "ListRolePolicies ListRoleTags TagRole UntagRole UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription",
    ),
    reason="roles of the stack by prefix; none of these widens what a role may do",
)
PASS_ROLES = Wildcard(
    sid="RolesForServices",
    actions=_of("iam", "PassRole"),
    reason="roles of the stack by prefix, to the services that take them",
)
NEW_KEYS = Wildcard(
    sid="NewKeysWithTags",
    actions=_of("kms", "CreateKey TagResource"),
    reason="a key has no ARN before it exists; a key that carries another project's or stack's tags is refused",
)
KEYS = Wildcard(
    sid="KeysOfTheStack",
    actions=_of(
        "kms",
        "CreateAlias DeleteAlias DescribeKey DisableKeyRotation EnableKeyRotation GetKeyPolicy GetKeyRotationStatus",
        "GetPublicKey ListResourceTags PutKeyPolicy ScheduleKeyDeletion UpdateAlias UpdateKeyDescription",
    ),
    reason="AWS makes up the ids of keys; the stack's own are told by their tags",
)
SEALS = Wildcard(
    sid="SealsOfPolicies",
    actions=("kms:Encrypt",),
    reason="AWS makes up the ids of keys; the stack's own are told by their tags, a seal by its context",
)
KEYS_FOR_SERVICES = Wildcard(
    sid="KeysThroughServices",
    actions=_of("kms", "CreateGrant Decrypt DescribeKey Encrypt GenerateDataKey ReEncryptFrom ReEncryptTo"),
    reason="the stack's keys by their tags, and only through the services that encrypt with them",
)
ALIASES = Wildcard(
    sid="AliasesOfTheStack",
    actions=_of("kms", "CreateAlias DeleteAlias UpdateAlias"),
    reason="aliases of the stack by prefix",
)
CATALOGUE = Wildcard(
    sid="CatalogueObjects",
    actions=_of("s3", "DeleteObject DeleteObjectVersion GetObject GetObjectTagging PutObject PutObjectTagging"),
    reason="one object per policy and function in the one bucket of the catalogue",
)
SECRETS = Wildcard(
    sid="SecretShells",
    actions=_of(
        "secretsmanager",
        "CreateSecret DeleteResourcePolicy DeleteSecret DescribeSecret GetResourcePolicy PutResourcePolicy",
        "RestoreSecret TagResource UntagResource UpdateSecret ValidateResourcePolicy",
    ),
    reason="AWS adds six characters to a secret's ARN; folders are those of the policies; no verb reads a value",
)
TABLES = Wildcard(
    sid="TablesOfTheStack",
    actions=_of(
        "dynamodb",
        "CreateTable DeleteTable DescribeContinuousBackups DescribeTable DescribeTimeToLive ListTagsOfResource",
        "TagResource UntagResource UpdateContinuousBackups UpdateTable",
    ),
    reason="tables of the stack by prefix; no verb reads or writes a row",
)
LOG_GROUPS = Wildcard(
    sid="LogGroupsOfTheStack",
    actions=_of(
        "logs",
        "AssociateKmsKey CreateLogGroup DeleteLogGroup DeleteRetentionPolicy DisassociateKmsKey PutRetentionPolicy",
        _TAGS,
    ),
    reason="log groups of the stack by prefix; some verbs name the group with `:*` behind it",
)
FUNCTIONS = Wildcard(
    sid="FunctionsOfTheStack",
    actions=_of(
        "lambda",
        "AddPermission CreateAlias CreateFunction DeleteAlias DeleteFunction DeleteFunctionConcurrency GetAlias",
        "GetFunction GetFunctionCodeSigningConfig GetFunctionConcurrency GetFunctionConfiguration GetPolicy ListTags",
        "ListVersionsByFunction PublishVersion PutFunctionConcurrency RemovePermission TagResource UntagResource",
        "UpdateAlias UpdateFunctionCode UpdateFunctionConfiguration",
    ),
    reason="functions of the stack by prefix, with the versions and the alias behind the name",
)
APIS = Wildcard(
    sid="HttpApis",
    actions=_of("apigateway", "DELETE GET PATCH POST PUT"),
    reason="API Gateway makes up the ids of APIs, and what lies below one is no resource with tags; the account is the "
    "stack's own",
)
LOG_DELIVERY = Wildcard(
    sid="LogDeliveryOfTheEndpoint",
    actions=_of(
        "logs",
        "CreateLogDelivery DeleteLogDelivery DescribeResourcePolicies GetLogDelivery ListLogDeliveries",
        "PutResourcePolicy UpdateLogDelivery",
    ),
    reason="API Gateway manages the delivery of access logs as who deploys; these actions know no resource",
)
MACHINES = Wildcard(
    sid="MachinesOfTheStack",
    actions=_of(
        "states",
        "CreateStateMachine DeleteStateMachine DeleteStateMachineVersion DescribeStateMachine",
        "ListStateMachineVersions PublishStateMachineVersion UpdateStateMachine",
        _TAGS,
    ),
    reason="machines of the stack by prefix, with versions behind the name; no verb starts an execution",
)
SCHEDULES = Wildcard(
    sid="SchedulesOfTheStack",
    actions=_of("scheduler", "CreateSchedule DeleteSchedule GetSchedule UpdateSchedule"),
    reason="schedules of the stack by prefix",
)
RULES = Wildcard(
    sid="RulesOfTheStack",
    actions=_of("events", "DeleteRule DescribeRule ListTargetsByRule PutRule PutTargets RemoveTargets", _TAGS),
    reason="event rules of the stack by prefix",
)
QUEUES = Wildcard(
    sid="QueuesOfTheStack",
    actions=_of(
        "sqs",
        "CreateQueue DeleteQueue GetQueueAttributes GetQueueUrl ListQueueTags SetQueueAttributes TagQueue UntagQueue",
    ),
    reason="queues of the stack by prefix; no verb sends or receives a message",
)
TOPICS = Wildcard(
    sid="TopicsOfTheStack",
    actions=_of(
        "sns",
        "CreateTopic DeleteTopic GetSubscriptionAttributes GetTopicAttributes ListSubscriptionsByTopic",
        "SetSubscriptionAttributes SetTopicAttributes Subscribe Unsubscribe",
        _TAGS,
    ),
    reason="topics of the stack by prefix, with the subscriptions behind the name",
)
ALARMS = Wildcard(
    sid="AlarmsOfTheStack",
    actions=_of("cloudwatch", "DeleteAlarms PutMetricAlarm", _TAGS),
    reason="alarms of the stack by prefix",
)
DEPLOYMENTS = Wildcard(
    sid="DeploymentGroupsOfTheStack",
    actions=_of(
        "codedeploy",
        "CreateApplication CreateDeploymentGroup DeleteApplication DeleteDeploymentGroup GetApplication",
        "GetDeploymentGroup UpdateApplication UpdateDeploymentGroup",
        _TAGS,
    ),
    reason="application and groups of the stack by prefix; no verb starts a deployment",
)
LOOK_UPS = Wildcard(
    sid="LookUps",
    actions=(
        *_of("cloudwatch", "DescribeAlarms"),
        *_of("ec2", "DescribeNetworkInterfaces DescribeSecurityGroups DescribeSubnets DescribeVpcs"),
        *_of("kms", "ListAliases"),
        *_of("logs", "DescribeLogGroups"),
        *_of("states", "ValidateStateMachineDefinition"),
    ),
    reason="these know no resource; they read names and settings, never content",
)

NAMED: Sequence[Wildcard] = (
    STATE,
    ROLES_WITH_BOUNDARY,
    ROLES,
    PASS_ROLES,
    NEW_KEYS,
    KEYS,
    SEALS,
    KEYS_FOR_SERVICES,
    ALIASES,
    CATALOGUE,
    SECRETS,
    TABLES,
    LOG_GROUPS,
    FUNCTIONS,
    APIS,
    LOG_DELIVERY,
    MACHINES,
    SCHEDULES,
    RULES,
    QUEUES,
    TOPICS,
    ALARMS,
    DEPLOYMENTS,
    LOOK_UPS,
)
