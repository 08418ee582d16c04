"""What lies in a sandbox's clouds, asked with plain clients: names by kind, to be compared before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

from sandbox.aws_client import administrator
from sandbox.facts import Credentials, Facts
from sandbox.google.remote import plaintext_client
from sandbox.handlers.vault import connect

# kind -> service, call that can be paged or not, where the answer lists, what names an item
_LISTS = {
    "key aliases": ("kms", "list_aliases", "Aliases", "AliasName"),
    "tables": ("dynamodb", "list_tables", "TableNames", ""),
    "buckets": ("s3", "list_buckets", "Buckets", "Name"),
    "roles": ("iam", "list_roles", "Roles", "RoleName"),
    "log groups": ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "apis": ("apigatewayv2", "get_apis", "Items", "Name"),
    "functions": ("lambda", "list_functions", "Functions", "FunctionName"),
    "machines": ("stepfunctions", "list_state_machines", "stateMachines", "name"),
    "queues": ("sqs", "list_queues", "QueueUrls", ""),
    "topics": ("sns", "list_topics", "Topics", "TopicArn"),
    "alarms": ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "schedules": ("scheduler", "list_schedules", "Schedules", "Name"),
    "event rules": ("events", "list_rules", "Rules", "Name"),
    "secrets": ("secretsmanager", "list_secrets", "SecretList", "Name"),
}


def inventory(facts: Facts, credentials: Credentials) -> dict[str, set[str]]:
    """Names by kind, in all three clouds."""
    found = {kind: set(_listed(facts, *how)) for kind, how in _LISTS.items()}
    with closing(administrator(facts, "kms")) as kms:
        keys = (kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in kms.list_keys()["Keys"])
        found["keys"] = {key["KeyId"] for key in keys if key["KeyState"] == "Enabled"}
    google = plaintext_client(facts.google_endpoint)
    with closing(google.transport):
        listed = google.list_secrets(request={"parent": f"projects/{facts.google_project}"})
        found["google secrets"] = {secret.name for secret in listed}
    vault = connect(facts, credentials)
    asked: dict[str, Callable[[], Any]] = {
        "vault mounts": lambda: vault.sys.list_mounted_secrets_engines()["data"],
        "vault logins": lambda: vault.sys.list_auth_methods()["data"],
        "vault policies": lambda: vault.sys.list_policies()["data"]["policies"],
    }
    found |= {kind: set(ask()) for kind, ask in asked.items()}
    vault.session.close()
    return found


def _listed(facts: Facts, service: str, call: str, field: str, name: str) -> Iterator[str]:
    with closing(administrator(facts, service)) as client:
        pages = client.get_paginator(call).paginate() if client.can_paginate(call) else [getattr(client, call)()]
        for page in pages:
            for item in page.get(field, []):
                yield item[name] if name else item
