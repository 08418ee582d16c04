"""A queue that keeps what failed, or what happened, for as long as SQS can: fourteen days to look at it."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

# The longest SQS keeps a message.
RETENTION_S = 14 * 24 * 3_600


def declare_queue(name: str, parent: pulumi.Resource) -> aws.sqs.Queue:
    """An encrypted queue called `name`, physically and logically."""
    return aws.sqs.Queue(
        name,
        name=name,
        message_retention_seconds=RETENTION_S,
        # the service's own key: services may deliver without a grant on the stack's key
        sqs_managed_sse_enabled=True,
        opts=pulumi.ResourceOptions(parent=parent),
    )
