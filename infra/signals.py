"""What Secrets Manager says about our secrets, kept in a queue: moved labels and the events of native rotation.

A queue and not a function: a burst is smoothed, nothing is lost while a function is deployed, and a move made outside
Keyturn can be read and replayed for fourteen days. Not here: the fan-out to consumers that will read it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.documents import Statement, as_json
from infra.names import Names
from infra.queue import declare_queue

# Service events of native rotation (AWS user guide); delivery is best effort.
_NATIVE = ("RotationAbandoned", "RotationFailed", "RotationStarted", "RotationSucceeded")


@dataclass(frozen=True, kw_only=True)
class SignalsArgs:
    """`secret_names`: of the secrets that Keyturn rotates in AWS."""

    names: Names
    secret_names: Sequence[str]


class Signals(pulumi.ComponentResource):
    """Rules, queue and dead letters. Output: `dead`, the queue of undelivered events."""

    def __init__(self, name: str, args: SignalsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:infra:Signals", name, None, opts)
        self._args = args
        self._queue = declare_queue(args.names.of("signals"), self)
        self.dead = declare_queue(args.names.of("signals-dead"), self)
        rules = [
            self._rule("label-moved", "A label of one of our secrets moved", _label_moved(args.secret_names)),
            self._rule("native-rotation", "Secrets Manager's own rotation", _native_rotation()),
        ]
        for queue, what in ((self._queue, "signals"), (self.dead, "signals-dead")):
            policy = as_json([delivers(queue.arn, [rule.arn for rule in rules])])
            aws.sqs.QueuePolicy(
                args.names.of(what), queue_url=queue.url, policy=policy, opts=pulumi.ResourceOptions(parent=self)
            )
        self.register_outputs({"dead": self.dead.arn})

    def _rule(self, what: str, description: str, pattern: Mapping[str, Any]) -> aws.cloudwatch.EventRule:
        full = self._args.names.of(what)
        child = pulumi.ResourceOptions(parent=self)
        rule = aws.cloudwatch.EventRule(
            full, name=full, description=description, event_pattern=json.dumps(pattern), opts=child
        )
        aws.cloudwatch.EventTarget(
            full,
            rule=rule.name,
            target_id="signals",
            arn=self._queue.arn,
            dead_letter_config={"arn": self.dead.arn},
            opts=child,
        )
        return rule


def _label_moved(secret_names: Sequence[str]) -> dict[str, Any]:
    detail = {"name": list(secret_names)}
    return {"source": ["aws.secretsmanager"], "detail-type": ["Secret Label Updated"], "detail": detail}


def _native_rotation() -> dict[str, Any]:
    # not narrowed to names: the event spells the ARN's key in two ways, and a pattern would miss one
    detail = {"eventSource": ["secretsmanager.amazonaws.com"], "eventName": list(_NATIVE)}
    return {"source": ["aws.secretsmanager"], "detail-type": ["AWS Service Event via CloudTrail"], "detail": detail}


def delivers(queue_arn: Any, rule_arns: Sequence[Any]) -> Statement:
    """Leave for rules of the bus, and for nobody else, to send to a queue."""
    return {
        "Sid": "OwnRulesDeliver",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": ["sqs:SendMessage"],
        "Resource": [queue_arn],
        "Condition": {"ArnEquals": {"aws:SourceArn": list(rule_arns)}},
    }
