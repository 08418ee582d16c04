"""Events from an SQS queue. A queue gives each message to one receiver: give every instance a queue of its own.

A message is deleted once every cache was told. There is no log to look back into; what a queue held while nobody
listened is delivered, the rest is made good by a read of the store.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from keyturn.client.listeners import Hearer
from keyturn.client.listeners.ears import Ears

# Long polling: seconds that one call waits for a message, and by which `detach` may be late; SQS takes at most 20.
WAIT_S = 5
# The most that one call returns (SQS).
_BATCH = 10


class SqsEvents:
    """`client` is a boto3 client of `sqs`; `wait_s` as SQS's WaitTimeSeconds."""

    def __init__(self, client: Any, queue_url: str, *, wait_s: int = WAIT_S) -> None:
        self._client, self._queue, self._wait_s = client, queue_url, wait_s
        self._ears = Ears("sqs", self._listen, lambda exc: isinstance(exc, BotoCoreError | ClientError))

    @property
    def connected(self) -> bool:
        """Whether the last call was answered."""
        return self._ears.connected.is_set()

    def attach(self, hearer: Hearer) -> None:
        """Begin to receive with the first one."""
        self._ears.attach(hearer)

    def detach(self, hearer: Hearer) -> None:
        """End with the last one, when the call under way has returned."""
        self._ears.detach(hearer)

    def _listen(self) -> None:
        while not self._ears.ended.is_set():
            answer = self._client.receive_message(
                QueueUrl=self._queue, MaxNumberOfMessages=_BATCH, WaitTimeSeconds=self._wait_s
            )
            if not self.connected:
                self._ears.hears()
            for message in answer.get("Messages", ()):
                self._ears.tell(message["Body"])
                self._client.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
