"""The alarms of the rules, each announced on the topic when it starts and when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.alarm_rules import AlarmRule
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class AlarmsArgs:
    """`topic_arn`: where they are announced."""

    names: Names
    rules: Sequence[AlarmRule]
    topic_arn: Any


class Alarms(pulumi.ComponentResource):
    """The alarms. Output: `names` by the rule's name."""

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:infra:Alarms", name, None, opts)
        self.names = {rule.name: self._alarm(args, rule).name for rule in args.rules}
        self.register_outputs({"names": self.names})

    def _alarm(self, args: AlarmsArgs, rule: AlarmRule) -> aws.cloudwatch.MetricAlarm:
        full = args.names.of(rule.name)
        comparison = "LessThanThreshold" if rule.silence else "GreaterThanOrEqualToThreshold"
        return aws.cloudwatch.MetricAlarm(
            full,
            name=full,
            alarm_description=rule.description,
            namespace=rule.namespace,
            metric_name=rule.metric,
            dimensions=dict(rule.dimensions),
            statistic=rule.statistic,
            period=rule.period_s,
            evaluation_periods=1,
            datapoints_to_alarm=1,
            threshold=rule.threshold,
            comparison_operator=comparison,
            treat_missing_data="breaching" if rule.silence else "notBreaching",
            alarm_actions=[args.topic_arn],
            ok_actions=[args.topic_arn],
            opts=pulumi.ResourceOptions(parent=self),
        )
