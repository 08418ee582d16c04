"""Lambda functions: code, configuration, reserved concurrency, and one published version per change of these.

The zip's bytes go up as they are, and only when their digest differs from what is there; a version is published only
when code or configuration changed, which Lambda itself decides, so that a repeated run publishes nothing. Aliases,
permissions and asynchronous settings are in `aws_lambda_entry.py`.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from sandbox.handlers import assets
from sandbox.handlers import aws_calls as aws
from sandbox.handlers.contract import Properties
from sandbox.handlers.upsert import Upsert

# the emulator settles half a second after a change; the service takes seconds, some minutes inside a network
_WAIT = {"Delay": 0.1, "MaxAttempts": 600}
_LATEST = "$LATEST"
# Lambda's own defaults: seconds, and MB
_TIMEOUT_S = 3
_MEMORY_MB = 128
_ARCHITECTURES = ["x86_64"]
_CONFIGURED = frozenset(
    {"role", "runtime", "handler", "description", "timeout", "memorySize", "environment", "deadLetterConfig"}
    | {"tracingConfig", "vpcConfig"}
)


class Function(Upsert):
    """`aws:lambda/function:Function`; the id is the name."""

    serves = frozenset(
        {"name", "code", "architectures", "publish", "reservedConcurrentExecutions", "tags", *_CONFIGURED}
    )
    replace_on = frozenset({"name"})
    computed = frozenset(
        {"arn", "version", "qualifiedArn", "invokeArn", "qualifiedInvokeArn", "sourceCodeHash", "lastModified"}
    )
    named_by = "name"

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """Make the function or change what differs, then publish what is new."""
        lambda_, name = self._clients.of("lambda"), str(wished["name"])
        live = self._configuration(name)
        if live is None:
            self._make(wished)
        else:
            self._change(live, wished)
        self._settled(name)
        self._reserve(name, wished.get("reservedConcurrentExecutions"))
        arn = lambda_.get_function_configuration(FunctionName=name)["FunctionArn"]
        aws.settle(
            wished.get("tags", {}),
            self._tags(arn),
            lambda tags: lambda_.tag_resource(Resource=arn, Tags=tags),
            lambda keys: lambda_.untag_resource(Resource=arn, TagKeys=keys),
        )
        if wished.get("publish"):
            lambda_.publish_version(FunctionName=name)
        return name

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """The function as Lambda has it; `version` is the newest published one where the program publishes."""
        live = self._configuration(id_)
        if live is None:
            return None
        arn = live["FunctionArn"]
        version = self._newest(id_) if wished.get("publish") else _LATEST
        region = self._clients.of("lambda").meta.region_name
        invoke = f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/"
        return {
            "name": live["FunctionName"],
            "arn": arn,
            "version": version,
            "qualifiedArn": f"{arn}:{version}",
            "invokeArn": f"{invoke}{arn}/invocations",
            "qualifiedInvokeArn": f"{invoke}{arn}:{version}/invocations",
            "sourceCodeHash": live["CodeSha256"],
            "lastModified": live["LastModified"],
            "reservedConcurrentExecutions": self._reserved(id_),
            "tags": self._tags(arn),
            **_read(live, wished),
        }

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Delete the function with its versions and aliases."""
        aws.found(self._clients.of("lambda").delete_function, FunctionName=id_)

    def _make(self, wished: Properties) -> None:
        # not published here: the version is published in one place, when everything else is as wished
        self._clients.of("lambda").create_function(
            FunctionName=wished["name"],
            Code={"ZipFile": assets.content(wished["code"])},
            Architectures=wished.get("architectures", _ARCHITECTURES),
            **_wanted(wished),
        )

    def _change(self, live: dict[str, Any], wished: Properties) -> None:
        lambda_, name = self._clients.of("lambda"), wished["name"]
        code = assets.content(wished["code"])
        built_for = wished.get("architectures", _ARCHITECTURES)
        if live["CodeSha256"] != _digest(code) or live["Architectures"] != built_for:
            self._settled(name)
            lambda_.update_function_code(FunctionName=name, ZipFile=code, Architectures=built_for)
        wanted = _wanted(wished)
        if _there(live) != wanted:
            self._settled(name)
            lambda_.update_function_configuration(FunctionName=name, **wanted)

    def _settled(self, name: str) -> None:
        for waiter in ("function_active_v2", "function_updated_v2"):
            self._clients.of("lambda").get_waiter(waiter).wait(FunctionName=name, WaiterConfig=_WAIT)

    def _reserve(self, name: str, wished: int | None) -> None:
        lambda_, live = self._clients.of("lambda"), self._reserved(name)
        # the real provider writes 'no limit' as -1
        wanted = -1 if wished is None else wished
        if wanted == live:
            return
        if wanted < 0:
            lambda_.delete_function_concurrency(FunctionName=name)
        else:
            lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=wanted)

    def _reserved(self, name: str) -> int:
        answer = self._clients.of("lambda").get_function_concurrency(FunctionName=name)
        return int(answer.get("ReservedConcurrentExecutions", -1))

    def _newest(self, name: str) -> str:
        pages = self._clients.of("lambda").get_paginator("list_versions_by_function").paginate(FunctionName=name)
        numbers = [int(found["Version"]) for page in pages for found in page["Versions"] if found["Version"] != _LATEST]
        return str(max(numbers)) if numbers else _LATEST

    def _configuration(self, name: str) -> dict[str, Any] | None:
        return aws.found(self._clients.of("lambda").get_function_configuration, FunctionName=name)

    def _tags(self, arn: str) -> dict[str, str]:
        return dict(self._clients.of("lambda").list_tags(Resource=arn).get("Tags", {}))


def _digest(code: bytes) -> str:
    """As Lambda writes it."""
    return base64.b64encode(hashlib.sha256(code).digest()).decode()


def _wanted(wished: Properties) -> dict[str, Any]:
    """The whole configuration, defaults included, so that an input that was taken out is undone."""
    network = wished.get("vpcConfig", {})
    return {
        "Role": wished["role"],
        "Runtime": wished["runtime"],
        "Handler": wished["handler"],
        "Description": wished.get("description", ""),
        "Timeout": wished.get("timeout", _TIMEOUT_S),
        "MemorySize": wished.get("memorySize", _MEMORY_MB),
        "Environment": {"Variables": wished.get("environment", {}).get("variables", {})},
        "DeadLetterConfig": {"TargetArn": wished.get("deadLetterConfig", {}).get("targetArn", "")},
        "TracingConfig": {"Mode": wished.get("tracingConfig", {}).get("mode", "PassThrough")},
        "VpcConfig": {
            "SubnetIds": network.get("subnetIds", []),
            "SecurityGroupIds": network.get("securityGroupIds", []),
        },
    }


def _there(live: dict[str, Any]) -> dict[str, Any]:
    """What Lambda has, in the form of `_wanted`."""
    network = live.get("VpcConfig") or {}
    return {
        **{key: live[key] for key in ("Role", "Runtime", "Handler", "Description", "Timeout", "MemorySize")},
        "Environment": {"Variables": live.get("Environment", {}).get("Variables", {})},
        "DeadLetterConfig": {"TargetArn": live.get("DeadLetterConfig", {}).get("TargetArn", "")},
        "TracingConfig": {"Mode": live.get("TracingConfig", {}).get("Mode", "PassThrough")},
        "VpcConfig": {
            "SubnetIds": network.get("SubnetIds", []),
            "SecurityGroupIds": network.get("SecurityGroupIds", []),
        },
    }


def _read(live: dict[str, Any], wished: Properties) -> Properties:
    """The configuration as outputs, for the inputs that the program gives: Lambda fills in the others."""
    # the variables' names are the program's, not ours to change
    plain = aws.camel({key: value for key, value in _there(live).items() if key != "Environment"})
    plain["environment"] = {"variables": live.get("Environment", {}).get("Variables", {})}
    return {key: plain[key] for key in _CONFIGURED & wished.keys()}
