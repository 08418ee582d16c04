"""CloudWatch: alarms on one metric. Deliberately not here: evaluating them, which the emulator does in part only."""

from __future__ import annotations

from typing import Any

from sandbox.handlers import aws_calls as aws
from sandbox.handlers.contract import Properties
from sandbox.handlers.upsert import Upsert

_PASSED = (
    "alarmDescription",
    "namespace",
    "metricName",
    "statistic",
    "period",
    "evaluationPeriods",
    "datapointsToAlarm",
    "threshold",
    "comparisonOperator",
    "treatMissingData",
)
# the service spells it out
_ACTIONS = {"okActions": "OKActions", "alarmActions": "AlarmActions"}


class MetricAlarm(Upsert):
    """`aws:cloudwatch/metricAlarm:MetricAlarm`; the id is the name."""

    serves = frozenset({"name", "dimensions", "tags", *_PASSED, *_ACTIONS})
    replace_on = frozenset({"name"})
    computed = frozenset({"arn"})
    named_by = "name"

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """The whole alarm; the service replaces it as a whole too."""
        watch, name = self._clients.of("cloudwatch"), str(wished["name"])
        sent = aws.pascal({key: wished[key] for key in (*_PASSED, *_ACTIONS) if key in wished}, _ACTIONS)
        dimensions = aws.listed(wished.get("dimensions", {}), "Name", "Value")
        watch.put_metric_alarm(AlarmName=name, Dimensions=dimensions, **sent)
        arn = (self._describe(name) or {})["AlarmArn"]
        aws.settle(
            wished.get("tags", {}),
            self._tags(arn),
            lambda tags: watch.tag_resource(ResourceARN=arn, Tags=aws.listed(tags)),
            lambda keys: watch.untag_resource(ResourceARN=arn, TagKeys=keys),
        )
        return name

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """The alarm as the service has it, for the inputs that the program gives."""
        live = self._describe(id_)
        if live is None:
            return None
        read = aws.camel({key: value for key, value in live.items() if key != "Dimensions"}, _ACTIONS)
        return {
            "arn": live["AlarmArn"],
            "name": id_,
            "dimensions": aws.unlisted(live.get("Dimensions", []), "Name", "Value"),
            "tags": self._tags(live["AlarmArn"]),
            **{key: read[key] for key in (*_PASSED, *_ACTIONS) if key in wished and key in read},
        }

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Delete the alarm."""
        aws.found(self._clients.of("cloudwatch").delete_alarms, AlarmNames=[id_])

    def _describe(self, name: str) -> dict[str, Any] | None:
        alarms = self._clients.of("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return alarms[0] if alarms else None

    def _tags(self, arn: str) -> dict[str, str]:
        return aws.unlisted(self._clients.of("cloudwatch").list_tags_for_resource(ResourceARN=arn)["Tags"])
