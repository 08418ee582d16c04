"""CloudWatch Logs: groups with retention, encryption and tags."""

from __future__ import annotations

from typing import Any

from sandbox.handlers import aws_calls as aws
from sandbox.handlers.contract import Properties
from sandbox.handlers.upsert import Upsert


class LogGroup(Upsert):
    """`aws:cloudwatch/logGroup:LogGroup`; the id is the name."""

    serves = frozenset({"name", "retentionInDays", "kmsKeyId", "tags"})
    replace_on = frozenset({"name"})
    computed = frozenset({"arn"})
    named_by = "name"

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """Make the group, or change what is set on it."""
        logs, name = self._clients.of("logs"), str(wished["name"])
        key = {"kmsKeyId": wished["kmsKeyId"]} if "kmsKeyId" in wished else {}
        live = self._describe(name)
        if live and live.get("kmsKeyId") != wished.get("kmsKeyId"):
            # the emulator cannot give a group another key, so it is made again, and what was logged is lost
            logs.delete_log_group(logGroupName=name)
        aws.made({"ResourceAlreadyExistsException"}, logs.create_log_group, logGroupName=name, **key)
        self._set_retention(name, wished.get("retentionInDays"))
        arn = self._describe(name)["arn"].removesuffix(":*")
        aws.settle(
            wished.get("tags", {}),
            self._tags(arn),
            lambda tags: logs.tag_resource(resourceArn=arn, tags=tags),
            lambda keys: logs.untag_resource(resourceArn=arn, tagKeys=keys),
        )
        return name

    def look(self, id_: str, _wished: Properties, /) -> Properties | None:
        """The group as the service has it; its ARN without the `:*` that means its streams."""
        live = self._describe(id_)
        if not live:
            return None
        arn = live["arn"].removesuffix(":*")
        key = {"kmsKeyId": live["kmsKeyId"]} if live.get("kmsKeyId") else {}
        tags = self._tags(arn)
        return {"arn": arn, "name": id_, "retentionInDays": live.get("retentionInDays", 0), **key, "tags": tags}

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Delete the group with what was logged."""
        aws.found(self._clients.of("logs").delete_log_group, logGroupName=id_)

    def _set_retention(self, name: str, days: int | None) -> None:
        logs, live = self._clients.of("logs"), self._describe(name).get("retentionInDays")
        if days and days != live:
            logs.put_retention_policy(logGroupName=name, retentionInDays=days)
        if live and not days:
            logs.delete_retention_policy(logGroupName=name)

    def _describe(self, name: str) -> dict[str, Any]:
        pages = self._clients.of("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
        groups = (group for page in pages for group in page["logGroups"])
        return next((group for group in groups if group["logGroupName"] == name), {})

    def _tags(self, arn: str) -> dict[str, str]:
        return dict(self._clients.of("logs").list_tags_for_resource(resourceArn=arn)["tags"])
