"""What each function may do: statements per store, on the secrets of its own policies and nothing else.

ARNs of secrets and keys are arguments, so that the size of a role can be checked with stand-ins before any resource
is declared. Not here: the permissions every function has alike (`function`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infra.authorities import named
from infra.documents import Statement, allow
from infra.events import GENERATIONS, QUEUE, authorities
from infra.names import CONTROL, MACHINES, STORES, Names
from infra.wildcards import (
    ANSWERS_ON_LOCAL,
    EXECUTIONS,
    FINDINGS,
    LAST_USE_ON_LOCAL,
    LOG_STREAMS,
    NETWORK_INTERFACES,
    PINNED_VERSIONS,
    TRACES,
)
from rotation.catalogue import INDEX, PLACES, PREFIX, object_key
from rotation.control.signals import NAMESPACE
from rotation.handwork import by_hand
from rotation.issuers.aws_iam_access_key import AwsIamAccessKey
from rotation.policy import Policy
from rotation.seal import STACK

_LEDGER = ("ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query")
# What the issuer asks of IAM, each on the one user (Service Authorization Reference, AWS IAM).
ACCESS_KEYS = tuple(
    f"iam:{verb}"
    for verb in ("CreateAccessKey", "DeleteAccessKey", "GetAccessKeyLastUsed", "ListAccessKeys", "UpdateAccessKey")
)
_DATA_KEY = ("kms:Decrypt", "kms:GenerateDataKey")


@dataclass(frozen=True, kw_only=True)
class Arns:
    """What AWS makes up: keys, secrets and authority secrets by ARN; the queue of events by its URL.

    published: what consumers are configured with.
    slack: the secret with the address of Slack's webhook; only where the stack names one.
    """

    data_key: Any
    signing_key: Any
    seal_key: Any
    event_keys: Sequence[Any]
    event_queue: Any
    published: Any
    secrets: Sequence[Any]
    authorities: Sequence[Any]
    slack: Any = ""


def grants(kind: str, names: Names, policies: Sequence[Policy], arns: Arns) -> list[Statement]:
    """The statements of the function `kind`'s role."""
    # control for every claim, the others for a preflight and for AWS's own rotation; a run's row has its policy
    read = [policy for policy in policies if kind in (CONTROL, policy.store)]
    statements = [*_of_every_function(kind, names, arns), *_catalogue(names, read, arns)]
    own = {"aws": _aws, "vault": _vault, "gcp": _nothing, CONTROL: _control}[kind]
    statements += [*_keys_of_users(names, policies), *_secrets(policies, arns)] if kind == "aws" else []
    return statements + (_telling(names, arns) if kind in STORES else []) + own(names, arns)


def _secrets(policies: Sequence[Policy], arns: Arns) -> list[Statement]:
    """What runs rotate; of what people change by hand the versions are listed, and no value is read or put."""
    own = list(zip((policy for policy in policies if policy.store == "aws"), arns.secrets, strict=True))
    rotated, listed = ([arn for policy, arn in own if by_hand(policy.credential) is hand] for hand in (False, True))
    verbs = ("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage")
    statements = [allow("OwnSecrets", [f"secretsmanager:{verb}" for verb in verbs], rotated)] if rotated else []
    if listed:
        statements.append(allow("VersionsMadeByHand", ["secretsmanager:ListSecretVersionIds"], listed))
    return statements


def _keys_of_users(names: Names, policies: Sequence[Policy]) -> list[Statement]:
    users = key_users(names, policies)
    if not users:
        return []
    on_local = [LAST_USE_ON_LOCAL.allow()] if names.settings.local else []
    return [allow("AccessKeysOfTheUsers", ACCESS_KEYS, users), *on_local]


def key_users(names: Names, policies: Sequence[Policy]) -> list[str]:
    """ARNs of the IAM users whose access keys are rotated; a user stands at the root of its account's paths."""
    of_iam = [policy for policy in policies if policy.credential == AwsIamAccessKey.kind]
    account = f"arn:aws:iam::{names.settings.aws_account}"
    return sorted(f"{account}:user/{policy.target_facts['user']}" for policy in of_iam)


def _of_every_function(kind: str, names: Names, arns: Arns) -> list[Statement]:
    services = [f"{service}.{names.settings.region}.amazonaws.com" for service in ("dynamodb", "s3", "secretsmanager")]
    statements = [
        LOG_STREAMS.allow(f"{names.arn('logs', 'log-group')}:{names.log_group(kind)}:*"),
        TRACES.allow(),
        allow("OwnDeadLetters", ["sqs:SendMessage"], [names.queue_arn(f"{kind}-dead")]),
        allow("Ledger", [f"dynamodb:{verb}" for verb in _LEDGER], [names.ledger_arn]),
        allow("DataKey", _DATA_KEY, [arns.data_key], {"StringEquals": {"kms:ViaService": services}}),
    ]
    if names.settings.subnet_ids:
        statements += [NETWORK_INTERFACES.allow(), _not_by_code(names.function_arn(kind))]
    return statements


def _not_by_code(function_arn: str) -> Statement:
    # Lambda places the function with its role; the code itself has no business with interfaces (AWS Lambda guide)
    return {
        "Sid": "CodeTouchesNoInterface",
        "Effect": "Deny",
        "Action": list(NETWORK_INTERFACES.actions),
        "Resource": ["*"],
        "Condition": {"ArnEquals": {"lambda:SourceFunctionArn": function_arn}},
    }


def _catalogue(names: Names, policies: Sequence[Policy], arns: Arns) -> list[Statement]:
    objects = [f"{names.bucket_arn}/{object_key(policy.name)}" for policy in policies]
    if not objects:
        return []
    # seals of this stack only, and no function may make one; the emulator does not show the context to policies
    ours = {"StringEqualsIfExists": {f"kms:EncryptionContext:{STACK}": names.settings.stack}}
    return [
        allow("Catalogue", ["s3:GetObject"], objects),
        allow("SealsOfTheCatalogue", ["kms:Decrypt"], [arns.seal_key], ours),
    ]


def _telling(names: Names, arns: Arns) -> list[Statement]:
    # see `_vault` for the condition
    algorithm = {"StringEqualsIfExists": {"kms:SigningAlgorithm": "ECDSA_SHA_256"}}
    return [
        allow("TellConsumers", ["sqs:SendMessage"], [names.queue_arn(QUEUE)]),
        allow("SignEvents", ["kms:Sign"], arns.event_keys, algorithm),
    ]


def _aws(names: Names, arns: Arns) -> list[Statement]:
    return [
        allow("AuthoritiesOfOwnSecrets", ["secretsmanager:GetSecretValue"], arns.authorities),
        # native rotation takes its claim here, and a claim asks whether the ledger is the one that it was
        allow("WhichTable", ["dynamodb:DescribeTable"], [names.ledger_arn]),
    ]


def _vault(_names: Names, arns: Arns) -> list[Statement]:
    # every Sign of AWS names an algorithm; the emulator's does not show it to policies
    algorithm = {"StringEqualsIfExists": {"kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}}
    return [allow("SignOwnLogin", ["kms:Sign"], [arns.signing_key], algorithm)]


def _nothing(_names: Names, _arns: Arns) -> list[Statement]:
    # Google knows the role itself through workload identity federation
    return []


def _control(names: Names, arns: Arns) -> list[Statement]:
    below = {"StringLike": {"s3:prefix": f"{PREFIX}*"}}
    functions = [arn for store in STORES for arn in (names.function_arn(store), names.live_arn(store))]
    machines = [kind for kind in MACHINES if kind != "sweep"]
    # the emulator authorises GetAlias under the name of ListAliases
    draw = ["lambda:GetAlias", *(["lambda:ListAliases"] if names.settings.local else [])]
    return [
        allow("Due", ["dynamodb:Query"], [f"{names.ledger_arn}/index/due"]),
        allow("ListCatalogue", ["s3:ListBucket"], [names.bucket_arn], below),
        allow("CatalogueIndex", ["s3:GetObject"], [f"{names.bucket_arn}/{name}" for name in (INDEX, PLACES)]),
        allow("DrawVersion", draw, functions),
        # a look for repair, and whether the ledger is the one that it was
        PINNED_VERSIONS.allow(*(f"{names.function_arn(store)}:*" for store in STORES)),
        FINDINGS.allow(Condition={"StringEquals": {"cloudwatch:namespace": NAMESPACE}}),
        allow("WhichTable", ["dynamodb:DescribeTable"], [names.ledger_arn]),
        allow("StartRuns", ["states:StartExecution"], [names.machine_arn(kind) for kind in machines]),
        EXECUTIONS.allow(*(names.executions(kind) for kind in machines)),
        _answers(names),
        *_slack(names, arns),
    ]


def _slack(names: Names, arns: Arns) -> list[Statement]:
    if not names.settings.slack_secret:
        return []
    return [allow("AddressOfSlack", ["secretsmanager:GetSecretValue"], [arns.slack])]


def _answers(names: Names) -> Statement:
    # a token is judged by the machine whose execution waits by it; no other role may answer one
    if names.settings.local:
        return ANSWERS_ON_LOCAL.allow()
    return allow("AnswerRunsThatWait", ["states:SendTaskSuccess"], [names.machine_arn("rotate")])


def stand_ins(names: Names, policies: Sequence[Policy]) -> Arns:
    """Texts as long as the ARNs AWS will make up, to measure a role before anything exists."""
    # a key's id is a UUID of 36 characters, a secret's ARN ends in a hyphen and 6
    key = names.arn("kms", f"key/{'0' * 36}")
    own = [policy for policy in policies if policy.store == "aws"]
    slack = names.settings.slack_secret
    paths = named(own, authorities("aws", names))
    return Arns(
        data_key=key,
        signing_key=key,
        seal_key=key,
        event_keys=[key for _ in GENERATIONS],
        event_queue="",
        published="",
        secrets=[names.arn("secretsmanager", f"secret:{policy.ref.path}-000000") for policy in own],
        authorities=[names.arn("secretsmanager", f"secret:{path}-000000") for path in paths],
        slack=names.arn("secretsmanager", f"secret:{slack}-000000"),
    )
