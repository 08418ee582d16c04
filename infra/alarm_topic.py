"""Where alarms go: one encrypted topic, and the on-call address when the stack has one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.documents import as_json
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class AlarmTopicArgs:
    """`data_key_arn`: encrypts the topic."""

    names: Names
    data_key_arn: Any


class AlarmTopic(pulumi.ComponentResource):
    """The topic. Output: `arn`."""

    def __init__(self, name: str, args: AlarmTopicArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:infra:AlarmTopic", name, None, opts)
        settings = args.names.settings
        child = pulumi.ResourceOptions(parent=self)
        full = args.names.of("alarms")
        topic = aws.sns.Topic(
            full, name=full, display_name=f"Keyturn {settings.stack}", kms_master_key_id=args.data_key_arn, opts=child
        )
        publish = {
            "Sid": "OwnAlarmsPublish",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": ["sns:Publish"],
            "Resource": [topic.arn],
            "Condition": {"StringEquals": {"aws:SourceAccount": settings.aws_account}},
        }
        aws.sns.TopicPolicy(full, arn=topic.arn, policy=as_json([publish]), opts=child)
        if settings.alarm_email:
            aws.sns.TopicSubscription(
                full, topic=topic.arn, protocol="email", endpoint=settings.alarm_email, opts=child
            )
        self.arn = topic.arn
        self.register_outputs({"arn": self.arn})
