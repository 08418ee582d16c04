"""What a consumer needs in the sandbox: a Redis user that may listen and read the stream, and a file of variables.

One user for all consumers of the sandbox; in a real stack each has its own, with the same rules, which are those of
docs/client.md. Its password follows from the administrator's, so that a second deployment changes nothing. The file is
for a shell (`set -a; . FILE`) and has the user's password, so that only its owner reads it.
"""

from __future__ import annotations

import hashlib
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

USER = "keyturn-consumer"
_PRIVATE_FILE = 0o600
# A subscription with its life sign, and the stream in both directions.
COMMANDS = ("+subscribe", "+unsubscribe", "+ping", "+xrange", "+xrevrange")


def welcome_consumers(layout: Layout, facts: Facts, credentials: Credentials, outputs: Mapping[str, object]) -> None:
    """Make the user and write the file, for the stack whose outputs `events` and `endpoint` these are."""
    stack = json.loads(str(outputs["events"]))["stack"]
    administrator = redis.Redis(host=LOOPBACK, port=facts.redis_port, password=credentials.redis_admin_password)
    with closing(administrator):
        allow_listening(administrator, stack, _password(credentials))
        # kept through a restart of the server
        administrator.acl_save()
    text = "".join(f"{name}={shlex.quote(said)}\n" for name, said in variables(facts, credentials, outputs).items())
    handle = os.open(layout.consumer, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE_FILE)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)


def allow_listening(administrator: redis.Redis, stack: str, password: str) -> None:
    """The user's rules, whatever they were before; the server gets a hash of the password."""
    administrator.acl_setuser(
        USER,
        enabled=True,
        reset=True,
        hashed_passwords=[f"+{hashlib.sha256(password.encode()).hexdigest()}"],
        commands=list(COMMANDS),
        # to be read, not written
        keys=[f"%R~keyturn:{stack}:invalidations:log"],
        channels=[f"keyturn:{stack}:invalidations"],
    )


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
    return f"redis://{USER}:{_password(credentials)}@{LOOPBACK}:{facts.redis_port}"


def _password(credentials: Credentials) -> str:
    return hashlib.sha256(f"{USER} {credentials.redis_admin_password}".encode()).hexdigest()
