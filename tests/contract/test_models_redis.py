"""The issuer contract and Redis's own promises on the model that the crash points are counted on.

Inherits what a real server is held to; what the model leaves out is named as a gap.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import redis
import test_issuer_redis_acl
from issuer_bench import FIRST, RETIRE, accepted
from redis_bench import RedisBench

from rotation.issuers.redis_wire import Address, Session
from tests.model.redis_service import AUTHORITY, AUTHORITY_PASSWORD, HOST, PORT, RedisService, Unknown

_numbers = itertools.count(1)


@dataclass
class ModelServer:
    """As `redis_bench.Server` shows one."""

    service: RedisService
    port: int = PORT
    password: str = AUTHORITY_PASSWORD
    user: str = AUTHORITY

    @contextmanager
    def session(self, user: str = "", password: str = "") -> Iterator[Any]:
        """A session as the authority, or as somebody else."""
        address = Address(host=HOST, port=self.port, tls=False)
        with closing(Session(address, user or self.user, password or self.password)) as session:
            yield session

    def log(self) -> str:
        return "\n".join(self.service.log)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> RedisBench:
    service = RedisService()
    service.connect(monkeypatch)
    return RedisBench(ModelServer(service), f"app{next(_numbers)}")


class TestRedisAclOnTheModel(test_issuer_redis_acl.TestRedisAcl):
    """The model: an administrator with every right, no TLS, no files."""

    gaps: ClassVar[Mapping[str, str]] = {
        "test_a_server_is_believed_only_with_a_certificate_of_the_authority_named": "the model has no TLS",
        "test_the_authority_needs_few_rights": "the model checks no rights",
    }

    @pytest.fixture
    def bench(self, bench: RedisBench) -> RedisBench:
        return bench


def _breaking(*, after: bool) -> Callable[[str, Callable[[], Any]], Any]:
    """Something between client and server that breaks the connection once, at EXEC."""
    left = [1]

    def passing(name: str, exchange: Callable[[], Any]) -> Any:
        if name != "redis.EXEC" or not left:
            return exchange()
        left.pop()
        if after:
            exchange()
        raise redis.ConnectionError("network error")

    return passing


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_effect_whose_answer_was_lost_is_repeated_and_happens_once(bench: RedisBench, after: bool) -> None:
    issuer = bench.make().issuer
    old, new = issuer.mint(None).value, issuer.mint(None).value
    issuer.apply(old, FIRST)
    for effect, value in ((issuer.apply, new), (issuer.revoke, old)):
        bench.server.service.passing = _breaking(after=after)
        effect(value, RETIRE)
    assert accepted(issuer.probe(new))
    assert issuer.probe(old).code == "WRONGPASS"
    assert bench.server.service.sessions == [], "a connection is left open"


def test_a_command_that_the_model_does_not_know_is_an_error(bench: RedisBench) -> None:
    with pytest.raises(Unknown, match="FLUSHALL"):
        bench.ask("FLUSHALL")
