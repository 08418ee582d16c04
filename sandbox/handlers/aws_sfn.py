"""Step Functions: a state machine and one version of it per change of definition, role or logging.

A change and its version are one call, so that no crash can fall between them. Executions are deliberately not here.
"""

from __future__ import annotations

from typing import Any

from sandbox.handlers import aws_calls as aws
from sandbox.handlers.contract import Properties
from sandbox.handlers.upsert import Upsert

_EXISTS = frozenset({"StateMachineAlreadyExists"})
_OFF: dict[str, Any] = {"level": "OFF", "includeExecutionData": False}


class StateMachine(Upsert):
    """`aws:sfn/stateMachine:StateMachine`; the id is the ARN."""

    serves = frozenset(
        {"name", "roleArn", "type", "definition", "publish", "loggingConfiguration", "tracingConfiguration", "tags"}
    )
    replace_on = frozenset({"name", "type"})
    computed = frozenset({"arn", "stateMachineVersionArn", "creationDate", "status"})
    named_by = "name"

    def __init__(self, clients: aws.AwsClients, region: str, account: str) -> None:
        self._clients = clients
        self._machines = f"arn:aws:states:{region}:{account}:stateMachine:"

    def put(self, wished: Properties, /) -> str:
        """Make the machine or change what differs; either publishes a version where the program asks for versions."""
        states, arn = self._clients.of("stepfunctions"), f"{self._machines}{wished['name']}"
        wanted = _wanted(wished)
        publish = {"publish": True} if wished.get("publish") else {}
        live = self._describe(arn)
        if live is None:
            kind = wished.get("type", "STANDARD")
            states.create_state_machine(name=wished["name"], type=kind, **wanted, **publish)
        elif _there(live) != {**wanted, "definition": aws.document(wanted["definition"], live["definition"])}:
            states.update_state_machine(stateMachineArn=arn, **wanted, **publish)
        elif publish and not self._versions(arn):
            states.publish_state_machine_version(stateMachineArn=arn)
        aws.settle(
            wished.get("tags", {}),
            self._tags(arn),
            lambda tags: states.tag_resource(resourceArn=arn, tags=aws.listed(tags, "key", "value")),
            lambda keys: states.untag_resource(resourceArn=arn, tagKeys=keys),
        )
        return arn

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """The machine as the service has it, and its newest version."""
        live = self._describe(id_)
        if live is None:
            return None
        versions = self._versions(id_)
        return {
            "arn": id_,
            "name": live["name"],
            "roleArn": live["roleArn"],
            "type": live["type"],
            "status": live["status"],
            "creationDate": live["creationDate"].isoformat(),
            "definition": aws.document(live["definition"], wished.get("definition")),
            "stateMachineVersionArn": versions[0] if versions else "",
            "tags": self._tags(id_),
        }

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Delete the machine; its versions first, which the emulator would keep and AWS would not."""
        states = self._clients.of("stepfunctions")
        if self._describe(id_) is None:
            return
        for version in self._versions(id_):
            states.delete_state_machine_version(stateMachineVersionArn=version)
        aws.found(states.delete_state_machine, stateMachineArn=id_)

    def _describe(self, arn: str) -> dict[str, Any] | None:
        return aws.found(self._clients.of("stepfunctions").describe_state_machine, stateMachineArn=arn)

    def _versions(self, arn: str) -> list[str]:
        """ARNs, newest first; two of the same second are listed in no order, so the number decides."""
        answer = self._clients.of("stepfunctions").list_state_machine_versions(stateMachineArn=arn)
        found = [str(version["stateMachineVersionArn"]) for version in answer["stateMachineVersions"]]
        return sorted(found, key=lambda version: int(version.rpartition(":")[2]), reverse=True)

    def _tags(self, arn: str) -> dict[str, str]:
        answer = self._clients.of("stepfunctions").list_tags_for_resource(resourceArn=arn)
        return aws.unlisted(answer["tags"], "key", "value")


def _wanted(wished: Properties) -> dict[str, Any]:
    return {
        "definition": wished["definition"],
        "roleArn": wished["roleArn"],
        "loggingConfiguration": _logging(wished.get("loggingConfiguration", {})),
        "tracingConfiguration": {"enabled": bool(wished.get("tracingConfiguration", {}).get("enabled"))},
    }


def _there(live: dict[str, Any]) -> dict[str, Any]:
    return {
        "definition": live["definition"],
        "roleArn": live["roleArn"],
        "loggingConfiguration": {**_OFF, **live.get("loggingConfiguration", {})},
        "tracingConfiguration": live.get("tracingConfiguration", {"enabled": False}),
    }


def _logging(given: Properties) -> dict[str, Any]:
    facts: dict[str, Any] = {key: given.get(key, default) for key, default in _OFF.items()}
    if not given.get("logDestination"):
        return facts
    return {**facts, "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": given["logDestination"]}}]}
