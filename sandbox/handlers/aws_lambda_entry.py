"""How a Lambda function is entered: aliases, permissions of services, settings of asynchronous calls."""

from __future__ import annotations

import json
from typing import Any

from sandbox.handlers import aws_calls as aws
from sandbox.handlers.contract import Properties
from sandbox.handlers.upsert import Upsert

_EXISTS = frozenset({"ResourceConflictException"})
# Lambda's own defaults for an asynchronous call: two more attempts, within six hours
_RETRIES = 2
_AGE_S = 21_600


class Alias(Upsert):
    """`aws:lambda/alias:Alias`; the id is the ARN.

    A deployment moves version and weights. An update therefore writes the version only when the *program* changed it.
    """

    serves = frozenset({"name", "functionName", "functionVersion", "description"})
    replace_on = frozenset({"name", "functionName"})
    computed = frozenset({"arn", "invokeArn"})
    named_by = "name"

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """Make the alias, or point the one that is there at the wished version."""
        lambda_ = self._clients.of("lambda")
        where = {"FunctionName": wished["functionName"], "Name": wished["name"]}
        facts = {"FunctionVersion": wished["functionVersion"], "Description": wished.get("description", "")}
        answer = aws.made(_EXISTS, lambda_.create_alias, **where, **facts) or lambda_.update_alias(**where, **facts)
        return str(answer["AliasArn"])

    def update(self, id_: str, old_outputs: Properties, inputs: Properties, /) -> Properties:
        """Description, and the version if the program names another one than before."""
        wished = self.wished(inputs, str(old_outputs["name"]))
        same = old_outputs.get("functionVersion") == wished["functionVersion"]
        live = self.look(id_, wished) if same else None
        self.put({**wished, "functionVersion": live["functionVersion"]} if live else wished)
        return self._now(id_, wished)

    def look(self, id_: str, _wished: Properties, /) -> Properties | None:
        """The alias as Lambda has it."""
        function, _, name = id_.rpartition(":")
        lambda_ = self._clients.of("lambda")
        live = aws.found(lambda_.get_alias, FunctionName=function, Name=name)
        if live is None:
            return None
        invoke = f"arn:aws:apigateway:{lambda_.meta.region_name}:lambda:path/2015-03-31/functions/{id_}/invocations"
        return {"arn": id_, "invokeArn": invoke, "name": name, "functionVersion": live["FunctionVersion"]}

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Delete the alias; a function that is gone took it along."""
        function, _, name = id_.rpartition(":")
        aws.found(self._clients.of("lambda").delete_alias, FunctionName=function, Name=name)


class Permission(Upsert):
    """`aws:lambda/permission:Permission`, a statement of a policy; the id is `function:qualifier/statement`."""

    serves = frozenset({"statementId", "action", "function", "qualifier", "principal", "sourceAccount", "sourceArn"})
    replace_on = serves
    named_by = "statementId"

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """Add the statement, in place of one that has its name."""
        lambda_, where = self._clients.of("lambda"), _where(wished, "function")
        optional = {"sourceAccount": "SourceAccount", "sourceArn": "SourceArn"}
        statement = {
            "StatementId": wished["statementId"],
            "Action": wished["action"],
            "Principal": wished["principal"],
            **{there: wished[key] for key, there in optional.items() if key in wished},
        }
        if aws.made(_EXISTS, lambda_.add_permission, **where, **statement) is None:
            lambda_.remove_permission(**where, StatementId=wished["statementId"])
            lambda_.add_permission(**where, **statement)
        return f"{':'.join(where.values())}/{wished['statementId']}"

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """The statement, if the policy holds it."""
        answer = aws.found(self._clients.of("lambda").get_policy, **_where(wished, "function"))
        statements = json.loads(answer["Policy"])["Statement"] if answer else []
        name = id_.rpartition("/")[2]
        live = next((statement for statement in statements if statement.get("Sid") == name), None)
        return live and {"statementId": name, "action": live["Action"]}

    def remove(self, id_: str, outputs: Properties, /) -> None:
        """Take the statement out; a function or alias that is gone took it along."""
        where = _where(outputs, "function")
        aws.found(self._clients.of("lambda").remove_permission, **where, StatementId=id_.rpartition("/")[2])


class EventInvokeConfig(Upsert):
    """`aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig`; the id is `function:qualifier`."""

    serves = frozenset({"functionName", "qualifier", "maximumRetryAttempts", "maximumEventAgeInSeconds"})
    replace_on = frozenset({"functionName", "qualifier"})

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """All settings; what the program does not say is Lambda's default."""
        where = _where(wished, "functionName")
        self._clients.of("lambda").put_function_event_invoke_config(
            **where,
            MaximumRetryAttempts=wished.get("maximumRetryAttempts", _RETRIES),
            MaximumEventAgeInSeconds=wished.get("maximumEventAgeInSeconds", _AGE_S),
        )
        return ":".join(where.values())

    def look(self, _id: str, wished: Properties, /) -> Properties | None:
        """All settings."""
        where = _where(wished, "functionName")
        live = aws.found(self._clients.of("lambda").get_function_event_invoke_config, **where)
        return live and {
            "maximumRetryAttempts": live["MaximumRetryAttempts"],
            "maximumEventAgeInSeconds": live["MaximumEventAgeInSeconds"],
        }

    def remove(self, _id: str, outputs: Properties, /) -> None:
        """Back to the defaults; a function or alias that is gone took it along."""
        where = _where(outputs, "functionName")
        aws.found(self._clients.of("lambda").delete_function_event_invoke_config, **where)


def _where(properties: Properties, key: str) -> dict[str, Any]:
    """The function, and the alias or version if one is named."""
    qualifier = {"Qualifier": properties["qualifier"]} if properties.get("qualifier") else {}
    return {"FunctionName": properties[key], **qualifier}
