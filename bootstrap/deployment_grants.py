"""What the deployment role may do: everything `pulumi up` of the main program calls in AWS, on this stack's names.

Patterns and their reasons stand in `wildcards`; here they are put on resources. Not here: reading a secret, starting a
run, invoking a function, which a deployment has no business with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bootstrap import wildcards
from bootstrap.secret_folders import secret_patterns
from bootstrap.state_bucket import bucket_arn
from infra.config import PROJECT
from infra.documents import Statement, allow
from infra.names import Names
from rotation.policy import Policy
from rotation.seal import STACK

# Who takes the stack's roles.
_SERVICES = ("codedeploy", "lambda", "scheduler", "states")
# What encrypts with the stack's keys when the program is applied.
_ENCRYPTING = ("dynamodb", "s3", "secretsmanager")
# What pulumi-aws reads and sets of a bucket with its guard, the catalogue's alone.
_BUCKET = (
    *("CreateBucket", "DeleteBucket", "DeleteBucketPolicy", "GetAccelerateConfiguration", "GetBucketAcl"),
    *("GetBucketCORS", "GetBucketLocation", "GetBucketLogging", "GetBucketObjectLockConfiguration"),
    *("GetBucketOwnershipControls", "GetBucketPolicy", "GetBucketPublicAccessBlock", "GetBucketRequestPayment"),
    *("GetBucketTagging", "GetBucketVersioning", "GetBucketWebsite", "GetEncryptionConfiguration"),
    *("GetLifecycleConfiguration", "GetReplicationConfiguration", "ListBucket", "ListBucketVersions"),
    *("PutBucketOwnershipControls", "PutBucketPolicy", "PutBucketPublicAccessBlock", "PutBucketTagging"),
    *("PutBucketVersioning", "PutEncryptionConfiguration"),
)


@dataclass(frozen=True, kw_only=True)
class PulumiKeyArns:
    """ARNs, which AWS makes up: the key of the state's bucket, the key of the secrets provider."""

    state: Any
    secrets: Any


def grants(names: Names, policies: Sequence[Policy], keys: PulumiKeyArns) -> dict[str, list[Statement]]:
    """The statements of the deployment role, by part: one document would be longer than IAM allows."""
    return {
        "state": _state(names, keys),
        "identity": [*_roles(names), *_keys(names)],
        "data": _data(names, policies),
        "runtime": [*_runtime(names), wildcards.LOOK_UPS.allow()],
    }


def _state(names: Names, keys: PulumiKeyArns) -> list[Statement]:
    bucket, stack = bucket_arn(names), names.settings.stack
    below = f"{bucket}/.pulumi"
    # as Pulumi's own backend lays out a bucket; the bootstrap's state lies beside, under another project
    folders = [f"{below}/{what}/{PROJECT}/{stack}/*" for what in ("backups", "history", "locks/organization")]
    by_s3 = {"StringEquals": {"kms:ViaService": f"s3.{names.settings.region}.amazonaws.com"}}
    return [
        allow("ListState", ["s3:GetBucketLocation", "s3:ListBucket"], [bucket]),
        allow("StateFormat", ["s3:GetObject"], [f"{below}/meta.yaml"]),
        wildcards.STATE.allow(f"{below}/stacks/{PROJECT}/{stack}.json*", *folders),
        allow("StateKey", ["kms:Decrypt", "kms:GenerateDataKey"], [keys.state], by_s3),
        allow("SecretsProvider", ["kms:Decrypt", "kms:Encrypt"], [keys.secrets]),
    ]


def _roles(names: Names) -> list[Statement]:
    roles = names.role_arn("*")
    bounded = {"StringEquals": {"iam:PermissionsBoundary": names.boundary_arn}}
    services = {"StringEquals": {"iam:PassedToService": [f"{service}.amazonaws.com" for service in _SERVICES]}}
    return [
        wildcards.ROLES_WITH_BOUNDARY.allow(roles, Condition=bounded),
        wildcards.ROLES.allow(roles),
        wildcards.PASS_ROLES.allow(roles, Condition=services),
    ]


def own_tags(names: Names, of: str) -> dict[str, str]:
    """The tags of what the main program makes, as condition keys: `of` is ResourceTag or RequestTag."""
    return {f"aws:{of}/project": PROJECT, f"aws:{of}/stack": names.settings.stack}


def _keys(names: Names) -> list[Statement]:
    own, services = (
        own_tags(names, "ResourceTag"),
        [f"{one}.{names.settings.region}.amazonaws.com" for one in _ENCRYPTING],
    )
    # a key that is being made has no tags yet; one that has another's is refused
    new = {"StringEquals": own_tags(names, "RequestTag"), "StringEqualsIfExists": own}
    through = {"StringEquals": {**own, "kms:ViaService": services}}
    every, stack = names.arn("kms", "key/*"), names.settings.stack
    return [
        wildcards.NEW_KEYS.allow(Condition=new),
        wildcards.KEYS.allow(every, Condition={"StringEquals": own}),
        # what no function may: seal a policy
        wildcards.SEALS.allow(every, Condition={"StringEquals": {**own, f"kms:EncryptionContext:{STACK}": stack}}),
        wildcards.KEYS_FOR_SERVICES.allow(every, Condition=through),
        wildcards.ALIASES.allow(names.arn("kms", f"alias/{names.of('*')}")),
    ]


def _data(names: Names, policies: Sequence[Policy]) -> list[Statement]:
    return [
        allow("CatalogueBucket", [f"s3:{verb}" for verb in _BUCKET], [names.bucket_arn]),
        wildcards.CATALOGUE.allow(f"{names.bucket_arn}/*"),
        wildcards.SECRETS.allow(*secret_patterns(names, policies)),
        wildcards.TABLES.allow(names.arn("dynamodb", f"table/{names.of('*')}")),
    ]


def _runtime(names: Names) -> list[Statement]:
    own = names.of("*")
    vended = [f"log-group:/aws/vendedlogs/{what}/{own}" for what in ("apis", "states")]
    groups = [f"log-group:/aws/lambda/{own}", *vended]
    apis = f"arn:aws:apigateway:{names.settings.region}::/"
    deployments = [f"application:{own}", f"deploymentgroup:{own}"]
    return [
        wildcards.LOG_GROUPS.allow(*(names.arn("logs", group) for group in groups)),
        wildcards.FUNCTIONS.allow(names.function_arn("*")),
        wildcards.APIS.allow(f"{apis}apis", f"{apis}apis/*", f"{apis}tags/*"),
        wildcards.LOG_DELIVERY.allow(),
        wildcards.MACHINES.allow(names.machine_arn("*")),
        wildcards.SCHEDULES.allow(names.arn("scheduler", f"schedule/default/{own}")),
        wildcards.RULES.allow(names.arn("events", f"rule/{own}")),
        wildcards.QUEUES.allow(names.queue_arn("*")),
        wildcards.TOPICS.allow(names.arn("sns", own)),
        wildcards.ALARMS.allow(names.arn("cloudwatch", f"alarm:{own}")),
        wildcards.DEPLOYMENTS.allow(*(names.arn("codedeploy", one) for one in deployments)),
    ]
