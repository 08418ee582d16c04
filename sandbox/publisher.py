"""Makes the Redis user that functions publish events as, and puts its login into each store.

Restricted to what publishing takes: the channel and the stream of the stack, and RQ's one queue; the rules are those
of docs/events.md.
"""

from __future__ import annotations

from contextlib import closing

import redis

from sandbox.authorities import put_aws, put_google, put_vault
from sandbox.facts import Credentials, Facts
from sandbox.redis_users import Rights, allow, password_of

USER = "keyturn-publisher"
AWS_SECRET = "keyturn/authority/events"  # noqa: S105 - a name
VAULT_PATH = "authority/events"
GOOGLE_SECRET = "keyturn-authority-events"  # noqa: S105 - a name
# MULTI around stream and channel; the rest is RQ's enqueuing of a job once: a script with what it calls, and a look at
# the server's version.
COMMANDS = (
    *("+multi", "+exec", "+xadd", "+publish"),
    *("+sadd", "+evalsha", "+script|load", "+exists", "+hset", "+expire", "+rpush", "+info"),
)
_HOST = "127.0.0.1"


def put_publisher(facts: Facts, credentials: Credentials, stack: str) -> None:
    """Make the user, and put its login into the three stores."""
    password = password_of(USER, credentials)
    administrator = redis.Redis(host=_HOST, port=facts.redis_port, password=credentials.redis_admin_password)
    with closing(administrator):
        allow_publishing(administrator, stack, password)
        administrator.acl_save()
    login = {"username": USER, "password": password}
    put_aws(facts, AWS_SECRET, login)
    put_vault(facts, credentials, VAULT_PATH, login)
    put_google(facts, GOOGLE_SECRET, login)


def allow_publishing(administrator: redis.Redis, stack: str, password: str) -> None:
    """Publish and enqueue, nothing else."""
    keys = [f"keyturn:{stack}:invalidations:log", "rq:queues", f"rq:queue:keyturn-{stack}", "rq:job:*"]
    rights = Rights(commands=COMMANDS, keys=keys, channels=[f"keyturn:{stack}:invalidations"])
    allow(administrator, USER, password, rights)
