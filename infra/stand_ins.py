"""What a cloud makes up when a resource is created, made up here for recordings: ARNs, ids, addresses.

Only outputs the program reads; each looks like the real one, so that a recorded policy reads like a real policy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

ACCOUNT_AND_REGION = "REGION:ACCOUNT"
PUBLIC_KEY = "-----BEGIN PUBLIC KEY-----\nrecorded\n-----END PUBLIC KEY-----\n"

Inputs = Mapping[str, Any]


def _arn(service: str, form: str) -> Callable[[str, Inputs], dict[str, Any]]:
    def made(name: str, inputs: Inputs) -> dict[str, Any]:
        known = {"name": inputs.get("name", name), "logical": name}
        return {"arn": f"arn:aws:{service}:{ACCOUNT_AND_REGION}:{form.format(**known)}", "name": known["name"]}

    return made


def _api(name: str, inputs: Inputs) -> dict[str, Any]:
    return {
        **_arn("apigateway", "/apis/{logical}")(name, inputs),
        "apiEndpoint": f"https://{name}.execute-api",
        "executionArn": f"arn:aws:execute-api:{ACCOUNT_AND_REGION}:{name}",
    }


def _function(name: str, inputs: Inputs) -> dict[str, Any]:
    return {**_arn("lambda", "function:{name}")(name, inputs), "version": "1"}


def _queue(name: str, inputs: Inputs) -> dict[str, Any]:
    return {**_arn("sqs", "{name}")(name, inputs), "url": f"https://sqs/{inputs.get('name', name)}"}


_MADE: Mapping[str, Callable[[str, Inputs], dict[str, Any]]] = {
    "aws:apigatewayv2/api:Api": _api,
    "aws:kms/key:Key": lambda name, inputs: {**_arn("kms", "key/{logical}")(name, inputs), "keyId": f"{name}-key-id"},
    "aws:kms/ciphertext:Ciphertext": lambda name, _inputs: {"ciphertextBlob": f"sealed by KMS: {name}"},
    "aws:iam/role:Role": _arn("iam", "role/{name}"),
    "aws:iam/policy:Policy": _arn("iam", "policy/{name}"),
    "aws:secretsmanager/secret:Secret": _arn("secretsmanager", "secret:{name}-recorded"),
    "aws:cloudwatch/logGroup:LogGroup": _arn("logs", "log-group:{name}"),
    "aws:cloudwatch/eventRule:EventRule": _arn("events", "rule/{name}"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _arn("cloudwatch", "alarm:{name}"),
    "aws:sfn/stateMachine:StateMachine": _arn("states", "stateMachine:{name}"),
    "aws:sns/topic:Topic": _arn("sns", "{name}"),
    "aws:sqs/queue:Queue": _queue,
    "aws:lambda/function:Function": _function,
    "aws:lambda/alias:Alias": lambda _name, inputs: {"arn": f"{inputs['functionName']}:{inputs['name']}"},
    "gcp:projects/iAMCustomRole:IAMCustomRole": lambda _name, inputs: {
        "name": f"projects/{inputs['project']}/roles/{inputs['roleId']}"
    },
    "gcp:serviceaccount/account:Account": lambda _name, inputs: _account(inputs),
}


def _account(inputs: Inputs) -> dict[str, Any]:
    email = f"{inputs['accountId']}@{inputs['project']}.iam.gserviceaccount.com"
    return {"email": email, "name": f"projects/{inputs['project']}/serviceAccounts/{email}"}


def outputs(type_: str, name: str, inputs: Inputs) -> dict[str, Any]:
    """What the cloud adds to `inputs`; nothing for a type whose outputs the program does not read."""
    made = _MADE.get(type_)
    return made(name, inputs) if made else {}


def answer(token: str, _args: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to an invoke; KeyError for one that the program is not known to make."""
    return {"aws:kms/getPublicKey:getPublicKey": {"publicKeyPem": PUBLIC_KEY}}[token]
