"""Every configuration key of the program with its reader: one table, so that an unknown key can be named.

A reader turns the configured text into a value, or raises ValueError with what the value has to be. Not here: where the
text comes from (`config`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

# The periods CloudWatch Logs accepts (PutRetentionPolicy), up to ten years.
LOG_RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
ENVIRONMENTS = ("local", "staging", "prod")
VAULT_AUTH = ("jwt",)
LARGEST_PORT = 65_535
# Lambda's default concurrency per region and account: no function can reserve more.
LARGEST_CONCURRENCY = 1_000
# Thirty days: a longer overlap is two live credentials, not an overlap.
LARGEST_CAP_S = 30 * 24 * 3_600
# Google's consistency notes speak of hours; a lag of a week is a fault, not a lag.
LARGEST_LAG_S = 7 * 24 * 3_600
# A client that looks less than hourly is as good as one that never looks.
LARGEST_POLL_S = 3_600

Reader = Callable[[str], Any]


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key `keyturn:<name>`, read into the field `field` of Settings. `local_only`: refused on other stacks."""

    name: str
    field: str
    read: Reader
    local_only: bool = False


def matching(pattern: str, wanted: str) -> Reader:
    """Text that matches `pattern` whole; `wanted` says so in words."""

    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(wanted)
        return text

    return read


def one_of(*choices: str) -> Reader:
    """One of `choices`."""

    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return text

    return read


def number(least: int, most: int) -> Reader:
    """A whole number between two bounds, both included."""

    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return read


def day(text: str) -> date:
    """A day such as `2026-12-31`."""
    try:
        if len(text) != len("2026-12-31"):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("a day such as 2026-12-31, in quotes") from None


def retention(text: str) -> int:
    """Days that CloudWatch Logs accepts."""
    if not text.isdecimal() or int(text) not in LOG_RETENTION_DAYS:
        raise ValueError(f"a retention that CloudWatch Logs knows: {', '.join(map(str, LOG_RETENTION_DAYS))} days")
    return int(text)


def url(text: str) -> str:
    """An http or https address without user, password, query or fragment."""
    parts = urlsplit(text)
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise ValueError("an http or https address without user, query or fragment")
    return text.rstrip("/")


def many(wanted: str, pattern: str) -> Reader:
    """A JSON list (the wire form of a YAML list) of texts that match `pattern`."""

    def read(text: str) -> tuple[str, ...]:
        try:
            items = json.loads(text)
        except ValueError:
            items = None
        if not isinstance(items, list) or not all(re.fullmatch(pattern, str(item)) for item in items):
            raise ValueError(f"a list of {wanted}")
        return tuple(str(item) for item in items)

    return read


_HOST = matching(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", "a host name or an address")
_EMAIL = matching(r"|[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address, or empty for none")
# A Google service account's id holds 30 characters: prefix, stack and `gcp` have to fit.
_PREFIX = matching(r"[a-z][a-z0-9-]{1,15}", "2 to 16 lower-case letters, digits and hyphens, a letter first")
_ARN_OR_EMPTY = matching(r"|arn:aws:iam::[0-9]{12}:role/[\w+=,.@/-]+", "the ARN of an IAM role, or empty for none")
_MEMBER = matching(
    r"|(serviceAccount|group|user):[^\s:@]+@[^\s:@]+", "an IAM member such as serviceAccount:a@b, or empty"
)

KEYS: tuple[Key, ...] = (
    Key(name="environment", field="environment", read=one_of(*ENVIRONMENTS)),
    Key(name="awsAccount", field="aws_account", read=matching(r"[0-9]{12}", "an account id of 12 digits, in quotes")),
    Key(name="region", field="region", read=matching(r"[a-z]{2}(-[a-z]+)+-[0-9]", "an AWS region")),
    Key(name="namePrefix", field="name_prefix", read=_PREFIX),
    Key(name="vaultAddress", field="vault_address", read=url),
    Key(name="vaultAuth", field="vault_auth", read=one_of(*VAULT_AUTH)),
    Key(name="googleProject", field="google_project", read=matching(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", "a project id")),
    Key(name="googleProjectNumber", field="google_project_number", read=matching(r"[0-9]+", "a project number")),
    Key(name="postgresHost", field="postgres_host", read=_HOST),
    Key(name="postgresPort", field="postgres_port", read=number(1, LARGEST_PORT)),
    Key(name="postgresTls", field="postgres_tls", read=one_of("verify", "off")),
    Key(name="tokenServiceUrl", field="token_service_url", read=url),
    Key(name="verifierUrl", field="verifier_url", read=url),
    Key(name="webhooksUrl", field="webhooks_url", read=url),
    Key(name="eventsRedis", field="events_redis", read=matching(r"|[\w.-]+:[0-9]+", "host:port, or empty for none")),
    Key(name="eventsRedisTls", field="events_redis_tls", read=one_of("verify", "off")),
    Key(name="paymentsReader", field="payments_reader", read=_ARN_OR_EMPTY),
    Key(name="exportsReader", field="exports_reader", read=_ARN_OR_EMPTY),
    Key(name="webhookSender", field="webhook_sender", read=_ARN_OR_EMPTY),
    Key(name="analyticsReader", field="analytics_reader", read=_MEMBER),
    Key(
        name="githubOwner", field="github_owner", read=matching(r"[A-Za-z0-9-]{1,39}", "a GitHub user or organisation")
    ),
    Key(name="githubRepository", field="github_repository", read=matching(r"[\w.-]{1,100}", "a repository's name")),
    Key(name="githubReviewers", field="github_reviewers", read=many("GitHub user ids (numbers)", r"[0-9]+")),
    Key(name="alarmEmail", field="alarm_email", read=_EMAIL),
    Key(
        name="slackSecret",
        field="slack_secret",
        read=matching(r"|[\w/+=.@-]{1,512}", "the name of a secret in AWS Secrets Manager, or empty for none"),
    ),
    Key(name="logRetentionDays", field="log_retention_days", read=retention),
    Key(name="functionConcurrency", field="function_concurrency", read=number(1, LARGEST_CONCURRENCY)),
    Key(name="subnetIds", field="subnet_ids", read=many("subnet ids", r"subnet-[0-9a-f]+")),
    Key(name="securityGroupIds", field="security_group_ids", read=many("security group ids", r"sg-[0-9a-f]+")),
    Key(name="overlapCapSeconds", field="overlap_cap_s", read=number(0, LARGEST_CAP_S)),
    Key(name="warmUpCapSeconds", field="warm_up_cap_s", read=number(0, LARGEST_CAP_S)),
    Key(name="aliasLagSeconds", field="alias_lag_s", read=number(0, LARGEST_LAG_S)),
    Key(name="clientPollSeconds", field="client_poll_s", read=number(1, LARGEST_POLL_S)),
    Key(name="checkedOn", field="checked_on", read=day),
    Key(name="startsAnyTime", field="starts_any_time", read=one_of("yes", "no"), local_only=True),
    Key(name="awsEndpoint", field="aws_endpoint", read=url, local_only=True),
    Key(name="googleEndpoint", field="google_endpoint", read=matching(r"[\w.-]+:[0-9]+", "host:port"), local_only=True),
)
