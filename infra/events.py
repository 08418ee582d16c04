"""How consumers hear of a new version: a queue with its dead letters, and the keys that events are signed with.

An asymmetric key does not rotate by itself: a new generation is a new key, and the last one signs. All are published,
so that consumers believe the old and the new one while both are about. Redis is not ours: its address is a fact of the
stack, and the login that functions publish with is a secret of each store. Who may read the queue follows from the
policies: the roles of the consumers that one names beside the channel `sqs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.documents import Statement, as_json
from infra.encryption import DELETION_DAYS_PROTECTED, administration
from infra.names import Names
from infra.queue import declare_queue
from infra.vault_store import MOUNT
from rotation.policy import Policy

QUEUE = "invalidations"
# As policies name it (`rotation.consumers.sqs`).
CHANNEL = "sqs"
# To change the key: append a generation, deploy, give the new public key to consumers, and remove the old one after a
# day, when no consumer believes an event of it any more.
GENERATIONS = ("1",)
# Consumers do not believe an event that is older, and read the store instead.
_RETENTION_S = 24 * 3_600
# A consumer that failed on an event five times fails on it for a reason that a sixth does not mend.
_RECEIVES = 5
# The shortest delay KMS offers between a deletion and the end of a key.
_DELETION_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class EventsArgs:
    """`receivers`: ARNs of the roles that may take events from the queue."""

    names: Names
    receivers: Sequence[str] = ()


class Events(pulumi.ComponentResource):
    """Queue and keys. Outputs: `queue_url`, `key_arns` (the last one signs), `public_keys`, and all as `published`."""

    def __init__(self, name: str, args: EventsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:infra:Events", name, None, opts)
        self.queue_url = self._queue(args.names, args.receivers)
        keys = [self._key(args.names, f"events-{generation}") for generation in GENERATIONS]
        self.key_arns = [key.arn for key in keys]
        self.public_keys = [_published(key, self) for key in keys]
        self.published = _told(args.names, self)
        self.register_outputs({"queueUrl": self.queue_url, "keyArns": self.key_arns})

    def _queue(self, names: Names, receivers: Sequence[str]) -> Any:
        full = names.of(QUEUE)
        dead = declare_queue(names.of(f"{QUEUE}-dead"), self)
        queue = aws.sqs.Queue(
            full,
            name=full,
            message_retention_seconds=_RETENTION_S,
            sqs_managed_sse_enabled=True,
            redrive_policy=pulumi.Output.json_dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": _RECEIVES}),
            opts=pulumi.ResourceOptions(parent=self),
        )
        if receivers:
            reads = as_json([_consumers_receive(names, queue.arn, receivers)])
            aws.sqs.QueuePolicy(full, queue_url=queue.url, policy=reads, opts=pulumi.ResourceOptions(parent=self))
        return queue.url

    def _key(self, names: Names, what: str) -> aws.kms.Key:
        settings = names.settings
        key = aws.kms.Key(
            what,
            description=f"Signs what consumers are told ({settings.stack})",
            key_usage="SIGN_VERIFY",
            customer_master_key_spec="ECC_NIST_P256",
            enable_key_rotation=False,
            deletion_window_in_days=DELETION_DAYS_PROTECTED if settings.protects else _DELETION_DAYS,
            policy=as_json([administration(names)]),
            opts=pulumi.ResourceOptions(parent=self, protect=settings.protects),
        )
        alias = f"alias/{names.of(what)}"
        aws.kms.Alias(what, name=alias, target_key_id=key.key_id, opts=pulumi.ResourceOptions(parent=self))
        return key


def receivers(policies: Sequence[Policy]) -> list[str]:
    """Roles of the consumers that hear by SQS; one that is named without its ARN is the account's own affair."""
    named = {str(one.role) for policy in policies if CHANNEL in policy.invalidate for one in policy.consumers}
    return sorted(role for role in named if role.startswith("arn:"))


def _consumers_receive(names: Names, queue_arn: Any, roles: Sequence[str]) -> Statement:
    return {
        "Sid": "ConsumersReceive",
        "Effect": "Allow",
        # the account with a condition: a role is named before it exists, and one that was made anew has the right too
        "Principal": {"AWS": f"arn:aws:iam::{names.settings.aws_account}:root"},
        # as `keyturn.client.listeners.sqs_events` uses it: nobody sends, nobody purges
        "Action": ["sqs:DeleteMessage", "sqs:ReceiveMessage"],
        "Resource": [queue_arn],
        "Condition": {"ArnEquals": {"aws:PrincipalArn": list(roles)}},
    }


def _published(key: aws.kms.Key, parent: pulumi.Resource) -> dict[str, Any]:
    public = aws.kms.get_public_key_output(key_id=key.key_id, opts=pulumi.InvokeOutputOptions(parent=parent))
    return {"key_id": key.arn, "public_key_pem": public.public_key_pem}


def authority(store: str, names: Names) -> str:
    """Where the publisher's login lies in a store, as the store writes paths."""
    return {
        "aws": "keyturn/authority/events",
        "vault": f"{MOUNT}/authority/events",
        "gcp": f"projects/{names.settings.google_project}/secrets/keyturn-authority-events",
    }[store]


def authorities(store: str, names: Names) -> Sequence[str]:
    """The shells that a store needs for it: none where the stack has no Redis."""
    return [authority(store, names)] if names.settings.events_redis else []


def variables(store: str, names: Names, queue_url: Any, keys: Sequence[Any]) -> dict[str, Any]:
    """What the function of a store is told (`rotation.consumers.registry`); the last of the keys signs."""
    return {
        "KEYTURN_EVENTS_REDIS": names.settings.events_redis,
        "KEYTURN_EVENTS_REDIS_TLS": names.settings.events_redis_tls,
        "KEYTURN_EVENTS_AUTHORITY": authority(store, names),
        "KEYTURN_EVENTS_QUEUE_URL": queue_url,
        "KEYTURN_EVENTS_KEY": keys[-1],
    }


def _told(names: Names, events: Events) -> pulumi.Output[str]:
    """What consumers are configured with, as JSON: nothing of it is secret."""
    stack = names.settings.stack
    told = {
        "stack": stack,
        "redis": names.settings.events_redis,
        "queue_url": events.queue_url,
        "rq_queue": f"keyturn-{stack}",
        "keys": events.public_keys,
    }
    return pulumi.Output.json_dumps(told)
