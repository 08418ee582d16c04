"""SNS: topics, their policies, and subscriptions."""

from __future__ import annotations

import json
from typing import Any

from sandbox.handlers import aws_calls as aws
from sandbox.handlers.contract import Properties
from sandbox.handlers.upsert import Upsert

_ATTRIBUTES = {"displayName": "DisplayName", "kmsMasterKeyId": "KmsMasterKeyId"}
_PENDING = "PendingConfirmation"


class Topic(Upsert):
    """`aws:sns/topic:Topic`; the id is the ARN."""

    serves = frozenset({"name", "tags", *_ATTRIBUTES})
    replace_on = frozenset({"name"})
    computed = frozenset({"arn", "owner"})
    named_by = "name"

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """Make the topic, which a repeated creation returns, then set what is set on it."""
        sns = self._clients.of("sns")
        arn = str(sns.create_topic(Name=wished["name"])["TopicArn"])
        live = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        for key, there in _ATTRIBUTES.items():
            if wished.get(key, "") != live.get(there, ""):
                sns.set_topic_attributes(TopicArn=arn, AttributeName=there, AttributeValue=wished.get(key, ""))
        aws.settle(
            wished.get("tags", {}),
            self._tags(arn),
            lambda tags: sns.tag_resource(ResourceArn=arn, Tags=aws.listed(tags)),
            lambda keys: sns.untag_resource(ResourceArn=arn, TagKeys=keys),
        )
        return arn

    def look(self, id_: str, _wished: Properties, /) -> Properties | None:
        """The topic as the service has it."""
        answer = aws.found(self._clients.of("sns").get_topic_attributes, TopicArn=id_)
        if answer is None:
            return None
        live = answer["Attributes"]
        read = {key: live[there] for key, there in _ATTRIBUTES.items() if live.get(there)}
        name = id_.rpartition(":")[2]
        return {"arn": id_, "name": name, "owner": live.get("Owner", ""), "tags": self._tags(id_), **read}

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Delete the topic."""
        aws.found(self._clients.of("sns").delete_topic, TopicArn=id_)

    def _tags(self, arn: str) -> dict[str, str]:
        return aws.unlisted(self._clients.of("sns").list_tags_for_resource(ResourceArn=arn)["Tags"])


class TopicPolicy(Upsert):
    """`aws:sns/topicPolicy:TopicPolicy`; the id is the topic's ARN. A topic always has one: removal sets SNS's own."""

    serves = frozenset({"arn", "policy"})
    replace_on = frozenset({"arn"})

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """The whole document."""
        self._set(wished["arn"], wished["policy"])
        return str(wished["arn"])

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """The whole document; SNS's own counts as none."""
        answer = aws.found(self._clients.of("sns").get_topic_attributes, TopicArn=id_)
        live = answer and answer["Attributes"].get("Policy")
        if not live or json.loads(live) == _of_the_owner(id_):
            return None
        return {"policy": aws.document(live, wished.get("policy"))}

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """SNS's own policy; a topic that is gone took it along."""
        aws.found(self._set, id_, json.dumps(_of_the_owner(id_)))

    def _set(self, arn: str, policy: str) -> None:
        self._clients.of("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)


def _of_the_owner(arn: str) -> dict[str, Any]:
    """As the real provider puts it back: the owner's account, and nobody else."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [
            f"SNS:{verb}"
            for verb in (
                "GetTopicAttributes",
                "SetTopicAttributes",
                "AddPermission",
                "RemovePermission",
                "DeleteTopic",
                "Subscribe",
                "ListSubscriptionsByTopic",
                "Publish",
            )
        ],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": arn.split(":")[4]}},
    }
    return {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}


class TopicSubscription(Upsert):
    """`aws:sns/topicSubscription:TopicSubscription`; the id is the ARN."""

    serves = frozenset({"topic", "protocol", "endpoint"})
    replace_on = frozenset({"topic", "protocol", "endpoint"})
    computed = frozenset({"arn", "pendingConfirmation"})

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """Subscribe, unless that endpoint is subscribed already."""
        there = self._find(wished)
        if there:
            return there
        answer = self._clients.of("sns").subscribe(
            TopicArn=wished["topic"],
            Protocol=wished["protocol"],
            Endpoint=wished["endpoint"],
            ReturnSubscriptionArn=True,
        )
        return str(answer["SubscriptionArn"])

    def look(self, id_: str, _wished: Properties, /) -> Properties | None:
        """The subscription as the service has it."""
        answer = aws.found(self._clients.of("sns").get_subscription_attributes, SubscriptionArn=id_)
        if answer is None:
            return None
        live = answer["Attributes"]
        pending = live.get(_PENDING) == "true"
        return {
            "arn": id_,
            "topic": live["TopicArn"],
            "protocol": live["Protocol"],
            "endpoint": live["Endpoint"],
            "pendingConfirmation": pending,
        }

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Unsubscribe."""
        aws.found(self._clients.of("sns").unsubscribe, SubscriptionArn=id_)

    def _find(self, wished: Properties) -> str:
        pages = self._clients.of("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=wished["topic"])
        meant = (wished["protocol"], wished["endpoint"])
        for page in pages:
            for there in page["Subscriptions"]:
                # one that waits for its confirmation may be listed without an ARN
                if (there["Protocol"], there["Endpoint"]) == meant and there["SubscriptionArn"].startswith("arn:"):
                    return str(there["SubscriptionArn"])
        return ""
