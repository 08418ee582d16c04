"""Which operation of AWS a request on the wire is, and which kinds it counts as. Sources: botocore's service models.

What the table does not know is an error: a service that nobody priced must not pass uncounted. DynamoDB's units are
`capacity`'s. Nothing of a body is read here, for it may hold a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from bench.kinds import Kind
from rotation.errors import Refused

# What services name themselves in the header of the JSON protocols.
_TARGETS = {
    "DynamoDB_20120810": "dynamodb",
    "secretsmanager": "secretsmanager",
    "TrentService": "kms",
    "AWSStepFunctions": "states",
    "GraniteServiceVersion20100801": "cloudwatch",
    "AmazonSQS": "sqs",
}
# Services of the query protocol name their operation in the body only: the signature's scope tells the service.
_BY_SCOPE = ("iam", "sts")
_LAMBDA_PATHS = "/2015-03-31/functions/"
# By what follows the function's name.
_LAMBDA_CALLS = {("GET", "aliases"): "GetAlias", ("POST", "invocations"): "Invoke"}

# Operations that touch a secret's value: each makes Secrets Manager ask KMS once for the stack's key.
_VALUES = frozenset({"GetSecretValue", "PutSecretValue"})


@dataclass(frozen=True)
class Operation:
    """`service` and `name` as botocore spells the latter."""

    service: str
    name: str

    def __str__(self) -> str:
        return f"{self.service}.{self.name}"


def operation_of(method: str, path: str, headers: Mapping[str, str]) -> Operation:
    """The operation of a request; Refused `unknown_operation`."""
    prefix, _, name = headers.get("x-amz-target", "").rpartition(".")
    if prefix in _TARGETS:
        return Operation(_TARGETS[prefix], name)
    place = urlsplit(path)
    if not prefix and place.path.startswith(_LAMBDA_PATHS):
        part = place.path.removeprefix(_LAMBDA_PATHS).partition("/")[2].partition("/")[0]
        return Operation("lambda", _LAMBDA_CALLS.get((method, part), f"{method} function"))
    if not prefix and method == "HEAD":
        return Operation("s3", "HeadObject")
    if not prefix and method == "GET":
        listed = "list-type" in parse_qs(place.query, keep_blank_values=True)
        return Operation("s3", "ListObjectsV2" if listed else "GetObject")
    if not prefix and method == "POST":
        scope = headers.get("authorization", "")
        for service in _BY_SCOPE:
            if f"/{service}/aws4_request" in scope:
                return Operation(service, "query")
    raise Refused(
        "unknown_operation", f"a function made a request that is not known: {prefix or method}", "add it to the table"
    )


def kinds_of(operation: Operation) -> tuple[Kind, ...]:
    """What the request is on a bill, DynamoDB's units excepted; Refused `unknown_operation`."""
    if operation in _BY_NAME:
        return _BY_NAME[operation]
    if operation.service in _BY_SERVICE:
        implied = (Kind.KMS_IMPLIED,) if operation.name in _VALUES else ()
        return (*_BY_SERVICE[operation.service], *implied)
    raise Refused("unknown_operation", f"nobody knows what {operation} costs", "add it to bench/operations.py")


_BY_NAME: Mapping[Operation, tuple[Kind, ...]] = {
    Operation("kms", "Sign"): (Kind.KMS_REQUEST,),
    # the seal of a policy that is read
    Operation("kms", "Decrypt"): (Kind.KMS_REQUEST,),
    # the bucket has a key of its own, which spares most of them: an upper bound
    Operation("s3", "GetObject"): (Kind.S3_GET, Kind.KMS_IMPLIED),
    # the sweep's look whether the catalogue's index has changed
    Operation("s3", "HeadObject"): (Kind.S3_GET,),
    Operation("s3", "ListObjectsV2"): (Kind.S3_LIST,),
    Operation("lambda", "GetAlias"): (Kind.LAMBDA_CALL,),
    # the log of the function that is invoked counts it, as it does those by the machine
    Operation("lambda", "Invoke"): (),
}
_BY_SERVICE: Mapping[str, tuple[Kind, ...]] = {
    "secretsmanager": (Kind.SECRETS_CALL,),
    "states": (Kind.STATES_CALL,),
    "cloudwatch": (Kind.METRIC_CALL,),
    "sqs": (Kind.QUEUE_REQUEST,),
    "iam": (Kind.IDENTITY_CALL,),
    "sts": (Kind.IDENTITY_CALL,),
    "dynamodb": (),
}
