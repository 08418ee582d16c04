"""Events about secrets, from the bus to the control function: findings, moved labels, reads by people.

Rules of the account's own bus, each of which may invoke the function's alias and nothing else; what cannot be delivered
within EventBridge's day of attempts lies in a queue that is alarmed. A rule is only there to keep events out that call
for nothing: what an event leads to is decided by the sealed policy. Not here: the trail that records reads, which is
the account's and not a stack's (`docs/triggers.md`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.documents import as_json
from infra.function import RotationFunction
from infra.names import Names
from infra.queue import declare_queue
from infra.signals import delivers
from rotation.incidents import aws_shapes, trigger
from rotation.incidents.incident import Kind
from rotation.policy import Policy

# EventBridge quotas: characters of a pattern, which an account cannot raise without asking.
PATTERN_LIMIT = 2_048
# GetSecretValue is a read: only such a rule sees it (EventBridge user guide, "read-only management events").
SEES_READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
Pattern = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class TriggersArgs:
    """`policies`: resolved, of all stores. `function`: control."""

    names: Names
    policies: Sequence[Policy]
    function: RotationFunction


class Triggers(pulumi.ComponentResource):
    """Rules, permissions and dead letters. Output: `dead`, the queue of undelivered events."""

    def __init__(self, name: str, args: TriggersArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:infra:Triggers", name, None, opts)
        self._args = args
        self.dead = declare_queue(args.names.of("triggers-dead"), self)
        rules = [self._rule(*one) for one in _rules(args.names, args.policies)]
        aws.sqs.QueuePolicy(
            args.names.of("triggers-dead"),
            queue_url=self.dead.url,
            policy=as_json([delivers(self.dead.arn, [rule.arn for rule in rules])]),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"dead": self.dead.arn})

    def _rule(self, what: str, description: str, state: str, pattern: Pattern) -> aws.cloudwatch.EventRule:
        full, child = self._args.names.of(f"trigger-{what}"), pulumi.ResourceOptions(parent=self)
        rule = aws.cloudwatch.EventRule(
            full, name=full, description=description, state=state, event_pattern=json.dumps(pattern), opts=child
        )
        leave = self._permission(what, rule)
        aws.cloudwatch.EventTarget(
            full,
            rule=rule.name,
            target_id="control",
            arn=self._args.function.alias.arn,
            dead_letter_config={"arn": self.dead.arn},
            # an event that comes before the permission would go to the dead letters
            opts=pulumi.ResourceOptions(parent=self, depends_on=[leave]),
        )
        return rule

    def _permission(self, what: str, rule: aws.cloudwatch.EventRule) -> aws.lambda_.Permission:
        sid = "".join(word.capitalize() for word in f"{what}-event-asks".split("-"))
        return aws.lambda_.Permission(
            self._args.names.of(f"trigger-{what}"),
            statement_id=sid,
            action="lambda:InvokeFunction",
            function=self._args.function.function.name,
            qualifier=self._args.function.alias.name,
            principal="events.amazonaws.com",
            source_arn=rule.arn,
            opts=pulumi.ResourceOptions(parent=self),
        )


def _rules(names: Names, policies: Sequence[Policy]) -> list[tuple[str, str, str, Pattern]]:
    """Name, description, state and pattern of each rule."""
    account = {"account": [names.settings.aws_account]}
    findings = {**account, "source": [trigger.SOURCE], "detail-type": [trigger.DETAIL_TYPE]}
    rules: list[tuple[str, str, str, Pattern]] = [
        ("findings", "Leaks, off-boardings and reads that somebody reports", "ENABLED", findings)
    ]
    own = [policy for policy in policies if policy.store == "aws"]
    labels = _chunks([[policy.ref.path] for policy in own], lambda paths: _moved(account, paths))
    reads = _chunks(
        [_spellings(names, policy.ref.path) for policy in own if Kind.HUMAN_READ.value in policy.triggers],
        lambda ids: _read(names, account, ids),
    )
    rules += [(f"labels-{i}", "Readers get another version", "ENABLED", one) for i, one in enumerate(labels)]
    rules += [(f"reads-{i}", "Somebody else reads our secrets", SEES_READS, one) for i, one in enumerate(reads)]
    return rules


def _moved(account: Pattern, paths: Sequence[Any]) -> Pattern:
    detail = {"name": list(paths), "labelUpdated": ["AWSCURRENT"]}
    return {**account, "source": [aws_shapes.SOURCE], "detail-type": [aws_shapes.LABEL], "detail": detail}


def _read(names: Names, account: Pattern, ids: Sequence[Any]) -> Pattern:
    """Reads of these secrets that showed something, but not those of the function that rotates them."""
    issuer = "userIdentity", "sessionContext", "sessionIssuer", "arn"
    others = [_nested(issuer, [{"exists": False}]), _nested(issuer, [{"anything-but": [names.role_arn("aws")]}])]
    detail = {
        "eventSource": ["secretsmanager.amazonaws.com"],
        "eventName": [aws_shapes.READ],
        "errorCode": [{"exists": False}],
        "requestParameters": {"secretId": list(ids)},
        "$or": others,
    }
    return {**account, "source": [aws_shapes.SOURCE], "detail-type": [aws_shapes.CALL], "detail": detail}


def _nested(path: Sequence[str], leaf: Any) -> Any:
    return {path[0]: _nested(path[1:], leaf)} if path else leaf


def _spellings(names: Names, path: str) -> list[Any]:
    """How a reader may call a secret: by name, or by an ARN with or without the ending that AWS gave it."""
    return [path, {"prefix": path if path.startswith("arn:") else names.arn("secretsmanager", f"secret:{path}")}]


def _chunks(items: Sequence[Sequence[Any]], pattern: Any) -> list[Pattern]:
    """As few patterns as hold all items, each within the limit; an item is never divided."""
    made: list[Pattern] = []
    held: list[Any] = []
    for item in items:
        if held and len(json.dumps(pattern([*held, *item]))) > PATTERN_LIMIT:
            made, held = [*made, pattern(held)], []
        held += item
    return [*made, pattern(held)] if held else made
