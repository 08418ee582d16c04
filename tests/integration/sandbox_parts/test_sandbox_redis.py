"""The Redis server of the sandbox: one administrator, known by a hash; what a restart keeps."""

from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from sandbox.parts.redis import Lone, redis_home, start_redis, started_redis, stop_redis


def client(lone: Lone, password: str = "") -> redis.Redis:
    return redis.Redis(
        port=lone.port, password=password or lone.password, retry=Retry(NoBackoff(), 0), decode_responses=True
    )


def test_it_answers_its_administrator_alone(tmp_path: Path) -> None:
    with started_redis(tmp_path) as lone:
        with closing(client(lone)) as administrator:
            assert administrator.acl_whoami() == "default"
        for password in ("wrong", hashlib.sha256(lone.password.encode()).hexdigest()):
            with closing(client(lone, password)) as stranger, pytest.raises(redis.AuthenticationError):
                stranger.ping()
        files = b"".join(path.read_bytes() for path in redis_home(tmp_path).rglob("*") if path.is_file())
        assert lone.password.encode() not in files
    with closing(client(lone)) as nobody, pytest.raises(redis.ConnectionError):
        nobody.ping()


def test_a_restart_keeps_port_password_and_what_was_published_in_a_stream(tmp_path: Path) -> None:
    with started_redis(tmp_path) as lone:
        with closing(client(lone)) as first:
            first.xadd("log", {"event": "one"})
        stop_redis(tmp_path)
        start_redis(tmp_path, lone)
        with closing(client(lone)) as second:
            assert [fields for _, fields in second.xrange("log")] == [{"event": "one"}]
