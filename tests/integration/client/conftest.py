"""One PostgreSQL and one Redis for the whole folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
import redis
from client_servers import Rotating, postgres_running

from keyturn.client.listeners.redis_events import RedisEvents
from sandbox.parts.redis import Lone, started_redis
from tests.property.event_maker import STACK


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    with postgres_running(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def rotating(postgres_server: Mapping[str, str]) -> Rotating:
    return Rotating(postgres_server)


@pytest.fixture(scope="session")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lone]:
    with started_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def publisher(lone: Lone) -> Iterator[redis.Redis]:
    with redis.Redis(port=lone.port, password=lone.password) as client:
        client.flushall()
        yield client


@pytest.fixture
def events(lone: Lone) -> RedisEvents:
    return RedisEvents.from_url(f"redis://:{lone.password}@127.0.0.1:{lone.port}", STACK)
