"""Events on an SQS queue, for consumers that cannot hold a connection: the body is the event, twice is possible.

A standard queue: order is the event's `sequence`, and repeats have its id. What consumers fail on moves to the queue's
own dead letters.
"""

from __future__ import annotations

from typing import Any, ClassVar

from rotation.calls import Caller, Kind
from rotation.consumers.event import Fields, text


class SqsChannel:
    """`client` is a boto3 SQS client."""

    name: ClassVar[str] = "sqs"

    def __init__(self, client: Any, queue_url: str, caller: Caller) -> None:
        self._client = client
        self._queue_url = queue_url
        self._caller = caller

    def send(self, fields: Fields) -> None:
        """SendMessage; secret and kind are attributes too, so that a consumer filters without reading the body."""
        attributes = {name: {"DataType": "String", "StringValue": fields[name]} for name in ("secret", "kind")}
        self._caller.call(
            Kind.PUBLISH,
            lambda: self._client.send_message(
                QueueUrl=self._queue_url, MessageBody=text(fields), MessageAttributes=attributes
            ),
        )
