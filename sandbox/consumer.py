"""What a consumer needs in the sandbox: a Redis user that may listen and read the stream, and a file of variables.

One user for all consumers of the sandbox; in a real stack each has its own, with the same rules, which are those of
docs/client.md. The file is for a shell (`set -a; . FILE`) and has the user's password, so that only its owner reads it.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from contextlib import closing
from urllib.parse import urlsplit

import redis

from sandbox.facts import Credentials, Facts
from sandbox.layout import Layout
from sandbox.ports import LOOPBACK
from sandbox.redis_users import Rights, allow, password_of

USER = "keyturn-consumer"
_PRIVATE_FILE = 0o600
# A subscription with its life sign, and the stream in both directions.
COMMANDS = ("+subscribe", "+unsubscribe", "+ping", "+xrange", "+xrevrange")


def welcome_consumers(layout: Layout, facts: Facts, credentials: Credentials, outputs: Mapping[str, object]) -> None:
    """Make the user and write the file, for the stack whose outputs `events` and `endpoint` these are."""
    stack = json.loads(str(outputs["events"]))["stack"]
    administrator = redis.Redis(host=LOOPBACK, port=facts.redis_port, password=credentials.redis_admin_password)
    with closing(administrator):
        allow_listening(administrator, stack, password_of(USER, credentials))
        # kept through a restart of the server
        administrator.acl_save()
    text = "".join(f"{name}={shlex.quote(said)}\n" for name, said in variables(facts, credentials, outputs).items())
    handle = os.open(layout.consumer, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE_FILE)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)


def allow_listening(administrator: redis.Redis, stack: str, password: str) -> None:
    """Listen, and read the stream without writing to it."""
    keys = [f"%R~keyturn:{stack}:invalidations:log"]
    rights = Rights(commands=COMMANDS, keys=keys, channels=[f"keyturn:{stack}:invalidations"])
    allow(administrator, USER, password, rights)


def variables(facts: Facts, credentials: Credentials, outputs: Mapping[str, object]) -> dict[str, str]:
    """By name, for the library's page, its examples, and boto3."""
    return {
        "KEYTURN_EVENTS": str(outputs["events"]),
        "KEYTURN_ENDPOINT": facts.aws_endpoint,
        # the emulator has no DNS for its APIs
        "KEYTURN_ENDPOINT_HOST": urlsplit(str(outputs["endpoint"])).netloc,
        "EVENTS_REDIS_URL": events_url(facts, credentials),
        "AWS_ENDPOINT_URL": facts.aws_endpoint,
        "AWS_DEFAULT_REGION": facts.aws_region,
        # the emulator's own, for any account
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def events_url(facts: Facts, credentials: Credentials) -> str:
    """As `RedisEvents.from_url` takes it. It holds the password: for an environment, never for a log."""
    return f"redis://{USER}:{password_of(USER, credentials)}@{LOOPBACK}:{facts.redis_port}"
