"""Makes the Redis user that consumers hear events as: it may listen and read the stream, and nothing else.

One for all consumers of the sandbox; in a real stack each has its own, with the same rules, which are those of
docs/client.md. Its password follows from the administrator's, so that a second deployment changes nothing.
"""

from __future__ import annotations

import hashlib
from contextlib import closing

import redis

from sandbox.facts import Credentials, Facts
from sandbox.ports import LOOPBACK

USER = "keyturn-consumer"
# A subscription with its life sign, and the stream in both directions.
COMMANDS = ("+subscribe", "+unsubscribe", "+ping", "+xrange", "+xrevrange")


def allow_consumers(facts: Facts, credentials: Credentials, stack: str) -> None:
    """Make the user, and keep it through a restart of the server."""
    administrator = redis.Redis(host=LOOPBACK, port=facts.redis_port, password=credentials.redis_admin_password)
    with closing(administrator):
        allow_listening(administrator, stack, _password(credentials))
        administrator.acl_save()


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


def events_url(facts: Facts, credentials: Credentials) -> str:
    """As `RedisEvents.from_url` takes it. It holds the password: for an environment, never for a log."""
    return f"redis://{USER}:{_password(credentials)}@{LOOPBACK}:{facts.redis_port}"


def _password(credentials: Credentials) -> str:
    return hashlib.sha256(f"{USER} {credentials.redis_admin_password}".encode()).hexdigest()
