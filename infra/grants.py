"""What each function may do: statements per store, on the secrets of its own policies and nothing else.

ARNs of secrets and keys are arguments, so that the size of a role can be checked with stand-ins before any resource
is declared. Not here: the permissions every function has alike (`function`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infra.documents import Statement, allow
from infra.names import CONTROL, STORES, Names
from infra.wildcards import EXECUTIONS, LOG_STREAMS, NETWORK_INTERFACES, TRACES
from rotation.policy import Policy

_LEDGER = ("ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem")
_DATA_KEY = ("kms:Decrypt", "kms:GenerateDataKey")


@dataclass(frozen=True, kw_only=True)
class Arns:
    """ARNs that AWS makes up: the data key, the signing key, secrets and authority secrets by name."""

    data_key: Any
    signing_key: Any
    secrets: Sequence[Any]
    authorities: Sequence[Any]


def catalogue_key(policy: Policy) -> str:
    """Where the catalogue keeps a policy."""
    return f"policies/{policy.name}.json"


def grants(kind: str, names: Names, policies: Sequence[Policy], arns: Arns) -> list[Statement]:
    """The statements of the function `kind`'s role."""
    of_kind = [policy for policy in policies if kind in (CONTROL, policy.store)]
    statements = [*_of_every_function(kind, names, arns), *_catalogue(names, of_kind)]
    own = {"aws": _aws, "vault": _vault, "gcp": _nothing, CONTROL: _control}[kind]
    return statements + own(names, arns)


def _of_every_function(kind: str, names: Names, arns: Arns) -> list[Statement]:
    table = names.ledger_arn
    services = [f"{service}.{names.settings.region}.amazonaws.com" for service in ("dynamodb", "s3", "secretsmanager")]
    statements = [
        LOG_STREAMS.allow(f"{names.arn('logs', 'log-group')}:{names.log_group(kind)}:*"),
        TRACES.allow(),
        allow("OwnDeadLetters", ["sqs:SendMessage"], [names.queue_arn(f"{kind}-dead")]),
        allow("Ledger", [f"dynamodb:{verb}" for verb in _LEDGER], [table, f"{table}/index/due"]),
        allow("DataKey", _DATA_KEY, [arns.data_key], {"StringEquals": {"kms:ViaService": services}}),
    ]
    if names.settings.subnet_ids:
        statements.append(NETWORK_INTERFACES.allow())
    return statements


def _catalogue(names: Names, policies: Sequence[Policy]) -> list[Statement]:
    objects = [f"{names.bucket_arn}/{catalogue_key(policy)}" for policy in policies]
    return [allow("Catalogue", ["s3:GetObject"], objects)] if objects else []


def _aws(_names: Names, arns: Arns) -> list[Statement]:
    verbs = ("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage")
    return [
        allow("OwnSecrets", [f"secretsmanager:{verb}" for verb in verbs], arns.secrets),
        allow("AuthoritiesOfOwnSecrets", ["secretsmanager:GetSecretValue"], arns.authorities),
    ]


def _vault(_names: Names, arns: Arns) -> list[Statement]:
    algorithm = {"StringEquals": {"kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}}
    return [allow("SignOwnLogin", ["kms:Sign"], [arns.signing_key], algorithm)]


def _nothing(_names: Names, _arns: Arns) -> list[Statement]:
    # Google knows the role itself through workload identity federation
    return []


def _control(names: Names, _arns: Arns) -> list[Statement]:
    below = {"StringLike": {"s3:prefix": "policies/*"}}
    functions = [arn for store in STORES for arn in (names.function_arn(store), names.live_arn(store))]
    machines = ("rotate", "retire")
    return [
        allow("ListCatalogue", ["s3:ListBucket"], [names.bucket_arn], below),
        allow("DrawVersion", ["lambda:GetAlias"], functions),
        allow("StartRuns", ["states:StartExecution"], [names.machine_arn(kind) for kind in machines]),
        EXECUTIONS.allow(*(names.executions(kind) for kind in machines)),
    ]


def stand_ins(names: Names, policies: Sequence[Policy]) -> Arns:
    """Texts as long as the ARNs AWS will make up, to measure a role before anything exists."""
    # a key's id is a UUID of 36 characters, a secret's ARN ends in a hyphen and 6
    key = names.arn("kms", f"key/{'0' * 36}")
    own = [policy for policy in policies if policy.store == "aws"]
    return Arns(
        data_key=key,
        signing_key=key,
        secrets=[names.arn("secretsmanager", f"secret:{policy.ref.path}-000000") for policy in own],
        authorities=[names.arn("secretsmanager", f"secret:{policy.target.authority}-000000") for policy in own],
    )


