"""EventBridge: rules of the default bus and their targets."""

from __future__ import annotations

from typing import Any

from sandbox.handlers import aws_calls as aws
from sandbox.handlers.contract import Properties
from sandbox.handlers.upsert import Upsert


class Rule(Upsert):
    """`aws:cloudwatch/eventRule:EventRule`; the id is the name."""

    serves = frozenset({"name", "description", "eventPattern", "state", "tags"})
    replace_on = frozenset({"name"})
    computed = frozenset({"arn"})
    named_by = "name"

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """The whole rule; the service replaces it as a whole too."""
        events, name = self._clients.of("events"), str(wished["name"])
        arn = events.put_rule(
            Name=name,
            Description=wished.get("description", ""),
            EventPattern=wished["eventPattern"],
            State=wished.get("state", "ENABLED"),
        )["RuleArn"]
        aws.settle(
            wished.get("tags", {}),
            self._tags(arn),
            lambda tags: events.tag_resource(ResourceARN=arn, Tags=aws.listed(tags)),
            lambda keys: events.untag_resource(ResourceARN=arn, TagKeys=keys),
        )
        return name

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """The rule as the service has it."""
        live = aws.found(self._clients.of("events").describe_rule, Name=id_)
        if live is None:
            return None
        return {
            "arn": live["Arn"],
            "name": id_,
            "description": live.get("Description", ""),
            "eventPattern": aws.document(live["EventPattern"], wished.get("eventPattern")),
            "state": live["State"],
            "tags": self._tags(live["Arn"]),
        }

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Delete the rule, and targets that an interrupted run made and did not record."""
        events = self._clients.of("events")
        left = aws.found(events.list_targets_by_rule, Rule=id_)
        if left is None:
            return
        if left["Targets"]:
            events.remove_targets(Rule=id_, Ids=[target["Id"] for target in left["Targets"]])
        aws.found(events.delete_rule, Name=id_)

    def _tags(self, arn: str) -> dict[str, str]:
        return aws.unlisted(self._clients.of("events").list_tags_for_resource(ResourceARN=arn)["Tags"])


class Target(Upsert):
    """`aws:cloudwatch/eventTarget:EventTarget`; the id is `rule-target`."""

    serves = frozenset({"rule", "arn", "targetId", "deadLetterConfig", "roleArn", "input"})
    replace_on = frozenset({"rule", "targetId"})

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """The whole target; RuntimeError when the service refuses it, which it says in a successful answer."""
        sent = {key: wished[key] for key in ("arn", "deadLetterConfig", "roleArn", "input") if key in wished}
        target = {"Id": wished["targetId"], **aws.pascal(sent)}
        answer = self._clients.of("events").put_targets(Rule=wished["rule"], Targets=[target])
        if answer["FailedEntryCount"]:
            raise RuntimeError(f"the target was refused: {answer['FailedEntries'][0]['ErrorCode']}")
        return f"{wished['rule']}-{wished['targetId']}"

    def look(self, _id: str, wished: Properties, /) -> Properties | None:
        """The target as the service has it."""
        live = self._find(wished)
        if live is None:
            return None
        read: Properties = aws.camel({key: value for key, value in live.items() if key != "Id"})
        return {"targetId": live["Id"], **read}

    def remove(self, _id: str, outputs: Properties, /) -> None:
        """Take the target from the rule; a rule that is gone took it along."""
        events = self._clients.of("events")
        aws.found(events.remove_targets, Rule=outputs["rule"], Ids=[outputs["targetId"]])

    def _find(self, wished: Properties) -> dict[str, Any] | None:
        answer = aws.found(self._clients.of("events").list_targets_by_rule, Rule=wished["rule"])
        targets = answer["Targets"] if answer else []
        return next((target for target in targets if target["Id"] == wished["targetId"]), None)
