"""What lies in the stack's queues, dead letters included. A message that was read once stays known, by queue."""

from __future__ import annotations

from runs_stack import Stack

# Longer than any session of tests, so that each message is received once.
HIDDEN_S = 3_600
MOST_AT_ONCE = 10


def messages(stack: Stack) -> dict[str, list[str]]:
    """Bodies by the queue's name; nothing is deleted."""
    client = stack.aws("sqs")
    for url in client.list_queues()["QueueUrls"]:
        known = stack.messages.setdefault(url.rsplit("/", 1)[1], [])
        while found := client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=MOST_AT_ONCE,
            VisibilityTimeout=HIDDEN_S,
            MessageAttributeNames=["All"],
        ).get("Messages"):
            known += [message["Body"] + str(message.get("MessageAttributes", "")) for message in found]
    return stack.messages
