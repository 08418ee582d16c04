"""SQS: queues and their policies. Messages are deliberately not here."""

from __future__ import annotations

from typing import Any

from sandbox.handlers import aws_calls as aws
from sandbox.handlers.contract import Properties
from sandbox.handlers.upsert import Upsert

# input, attribute, and what SQS takes when it is not said: four days, half a minute, its own encryption
_ATTRIBUTES: dict[str, tuple[str, Any]] = {
    "messageRetentionSeconds": ("MessageRetentionPeriod", 345_600),
    "visibilityTimeoutSeconds": ("VisibilityTimeout", 30),
    "sqsManagedSseEnabled": ("SqsManagedSseEnabled", True),
}
_REDRIVE = "redrivePolicy"


class Queue(Upsert):
    """`aws:sqs/queue:Queue`; the id is the URL."""

    serves = frozenset({"name", "tags", _REDRIVE, *_ATTRIBUTES})
    replace_on = frozenset({"name"})
    computed = frozenset({"arn", "url"})
    named_by = "name"

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """Make the queue, or change what is set on it."""
        sqs, name = self._clients.of("sqs"), wished["name"]
        # asked first: creation refuses a queue whose attributes differ
        there = aws.found(sqs.get_queue_url, QueueName=name) or sqs.create_queue(QueueName=name)
        url = str(there["QueueUrl"])
        sqs.set_queue_attributes(QueueUrl=url, Attributes=_attributes(wished))
        aws.settle(
            wished.get("tags", {}),
            self._tags(url),
            lambda tags: sqs.tag_queue(QueueUrl=url, Tags=tags),
            lambda keys: sqs.untag_queue(QueueUrl=url, TagKeys=keys),
        )
        return url

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """The queue as the service has it."""
        answer = aws.found(self._clients.of("sqs").get_queue_attributes, QueueUrl=id_, AttributeNames=["All"])
        if answer is None:
            return None
        live = answer["Attributes"]
        redrive = (
            {_REDRIVE: aws.document(live["RedrivePolicy"], wished.get(_REDRIVE))} if live.get("RedrivePolicy") else {}
        )
        read = {key: _value(live[there]) for key, (there, _) in _ATTRIBUTES.items() if there in live}
        name = id_.rpartition("/")[2]
        return {"arn": live["QueueArn"], "url": id_, "name": name, "tags": self._tags(id_), **read, **redrive}

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Delete the queue with its messages."""
        aws.found(self._clients.of("sqs").delete_queue, QueueUrl=id_)

    def _tags(self, url: str) -> dict[str, str]:
        return dict(self._clients.of("sqs").list_queue_tags(QueueUrl=url).get("Tags", {}))


def _attributes(wished: Properties) -> dict[str, str]:
    """All that is served, defaults included, so that an input that was taken out is undone."""
    plain = {there: _text(wished.get(key, default)) for key, (there, default) in _ATTRIBUTES.items()}
    return {**plain, "RedrivePolicy": wished.get(_REDRIVE, "")}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(text: str) -> int | bool:
    return text == "true" if text in ("true", "false") else int(text)


class QueuePolicy(Upsert):
    """`aws:sqs/queuePolicy:QueuePolicy`; the id is the queue's URL."""

    serves = frozenset({"queueUrl", "policy"})
    replace_on = frozenset({"queueUrl"})

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """The whole document."""
        url = str(wished["queueUrl"])
        self._clients.of("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": wished["policy"]})
        return url

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """The whole document; an empty one is none."""
        answer = aws.found(self._clients.of("sqs").get_queue_attributes, QueueUrl=id_, AttributeNames=["Policy"]) or {}
        live = answer.get("Attributes", {}).get("Policy")
        return {"policy": aws.document(live, wished.get("policy"))} if live else None

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """No policy; a queue that is gone took it along."""
        aws.found(self._clients.of("sqs").set_queue_attributes, QueueUrl=id_, Attributes={"Policy": ""})
