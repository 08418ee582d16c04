"""What is acknowledged while requests run on an older version, or the target accepts only that."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

import httpx
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from client_bench import Clock, Store, cache_of
from test_adapters import Tokens, answering, partner

from keyturn.client import AsyncSecretCache, SecretCache
from keyturn.client.pools import boto3_session
from keyturn.client.pools.httpx_auth import AsyncCacheAuth, CacheAuth
from keyturn.client.value import Held
from tests.property.event_maker import SECRET


class Acks:
    """What was said to be in use, each once in a row."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def using(self, _secret: str, _version: str, store_version: str, _user: object) -> None:
        if self.said[-1:] != [store_version]:
            self.said.append(store_version)


def acknowledging(store: Store) -> tuple[SecretCache, Acks, Clock]:
    """A cache that uses the first version and has said so."""
    acks, timer = Acks(), Clock(0.0)
    cache = cache_of(store, ack=acks, timer=timer)
    cache.get()
    cache._keeper.step()
    return cache, acks, timer


def rotated(cache: SecretCache, store: Store, number: str = "2") -> None:
    """The cache holds the next version."""
    store.put(number)
    cache.poll()
    cache._keeper.step()


def test_a_job_that_runs_on_the_old_version_holds_the_new_one_back_until_it_ends() -> None:
    store = Store()
    cache, acks, _ = acknowledging(store)

    def job(held: Held) -> str:
        rotated(cache, store)
        assert acks.said == ["1"]
        assert cache._keeper._woken.is_set()
        cache._keeper._woken.clear()
        return held.store_version

    assert cache.call(job, lambda _: False) == "1"

    assert cache._keeper._woken.is_set()
    cache._keeper.step()
    assert acks.said == ["1", "2"]


def test_a_job_that_fails_on_the_old_version_holds_nothing_back_any_more() -> None:
    store = Store()
    cache, acks, _ = acknowledging(store)

    def job(_held: Held) -> None:
        rotated(cache, store)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cache.call(job, lambda _: False)
    cache._keeper.step()

    assert acks.said == ["1", "2"]


def test_while_a_refused_request_looks_for_another_value_nothing_is_said_to_be_in_use() -> None:
    store = Store()
    cache, _, _ = acknowledging(store)
    rotated(cache, store)
    use = cache.use()
    assert not cache.used_elsewhere(cache.held())
    seen = list[bool]()
    after = cache.after

    def looking(refused: Any) -> Held | None:
        found = after(refused)
        seen.append(cache.used_elsewhere(cache.held()))
        return found

    cache.after = looking  # type: ignore[method-assign]  # to look in between
    assert use.refused()

    assert (seen, use.held.store_version) == ([True], "1")
    use.end()
    assert not cache.used_elsewhere(cache.held())


def by_httpx(cache: SecretCache, accepted: set[str], faulty: Collection[str] = ()) -> Callable[[], object]:
    _, transport = partner(accepted, faulty)
    return lambda: httpx.Client(transport=transport, auth=CacheAuth(cache)).get("https://partner.test/x")


def by_boto3(cache: SecretCache, accepted: set[str], faulty: Collection[str] = ()) -> Callable[[], object]:
    session = boto3_session.session(cache, region_name="us-east-1")
    client: Any = session.client("sts", config=Config(retries={"total_max_attempts": 1}))
    client.meta.events.register("before-send", answering([], accepted, faulty))
    ask: Callable[[], object] = client.get_caller_identity
    return ask


def by_call(cache: SecretCache, accepted: set[str]) -> Callable[[], object]:
    def attempt(held: Held) -> None:
        if held.value.unsafe_fields()["token"] not in accepted:
            raise PermissionError

    return lambda: cache.call(attempt, lambda exc: isinstance(exc, PermissionError))


@pytest.mark.parametrize("through", [by_httpx, by_boto3, by_call])
def test_a_version_that_the_target_does_not_accept_yet_is_not_acknowledged_until_it_does(
    through: Callable[[SecretCache, set[str]], Callable[[], object]],
) -> None:
    store = Tokens()
    cache, acks, timer = acknowledging(store)
    accepted = {"token-1", "KEY1"}
    request = through(cache, accepted)
    request()
    store.put("2")
    cache.poll()
    for timer.at in (10.0, 20.0):
        request()
        cache._keeper.step()
    assert (acks.said, cache.counters.fallbacks) == (["1"], 2)

    accepted |= {"token-2", "KEY2"}
    cache._keeper._woken.clear()
    request()
    assert cache._keeper._woken.is_set()
    cache._keeper.step()

    assert acks.said == ["1", "2"]
    assert list(cache._uses._running) == []


@pytest.mark.parametrize("through", [by_httpx, by_boto3])
def test_a_fault_of_the_target_is_no_word_that_it_accepts_the_new_version(
    through: Callable[[SecretCache, set[str], set[str]], Callable[[], object]],
) -> None:
    store, faulty = Tokens(), set[str]()
    cache, acks, timer = acknowledging(store)
    request = through(cache, {"token-1", "KEY1"}, faulty)
    store.put("2")
    cache.poll()
    request()
    faulty |= {"token-2", "KEY2"}
    timer.at = 10.0
    # boto3 raises it
    with suppress(Exception):
        request()
    cache._keeper.step()

    assert (acks.said, cache.counters.fallbacks, list(cache._uses._running)) == (["1"], 1, [])


def test_a_head_that_s3_refuses_without_a_word_says_nothing_of_the_new_key() -> None:
    store = Tokens()
    cache, acks, timer = acknowledging(store)
    by_boto3(cache, {"KEY1"})()
    store.put("2")
    cache.poll()
    by_boto3(cache, {"KEY1"})()
    timer.at = 10.0
    client: Any = boto3_session.session(cache, region_name="us-east-1").client("s3")

    def answer(request: Any, **_: Any) -> AWSResponse:
        raw: Any = io.BytesIO()
        raw.stream = lambda *_args, **_kwargs: iter([b""])
        return AWSResponse(request.url, 403, HTTPHeaders(), raw)

    client.meta.events.register("before-send", answer)
    with pytest.raises(client.exceptions.ClientError, match="403"):
        client.head_object(Bucket="b", Key="k")
    cache._keeper.step()

    assert (acks.said, cache.counters.fallbacks) == (["1"], 1)


@pytest.mark.parametrize("through", [by_httpx, by_boto3, by_call])
def test_a_target_that_accepts_nothing_and_one_that_is_idle_hold_nothing_back(
    through: Callable[[SecretCache, set[str]], Callable[[], object]],
) -> None:
    store = Tokens()
    cache, acks, _ = acknowledging(store)
    request = through(cache, set())
    # each says it in its own way
    with suppress(Exception):
        request()
    rotated(cache, store)

    assert acks.said == ["1", "2"]


def test_a_request_under_way_counts_until_its_answer_is_there_also_under_asyncio() -> None:
    store, seen = Tokens(), list[bool]()

    async def service() -> None:
        cache = AsyncSecretCache(SECRET, store)
        cache._cache.get()

        async def answer(_request: httpx.Request) -> httpx.Response:
            store.put("2")
            cache._cache.poll()
            seen.append(cache._cache.used_elsewhere(cache.held()))
            return httpx.Response(200)

        async def job(_held: Held) -> None:
            await answer(httpx.Request("GET", "https://partner.test/x"))
            await asyncio.Event().wait()

        async with httpx.AsyncClient(transport=httpx.MockTransport(answer), auth=AsyncCacheAuth(cache)) as client:
            await client.get("https://partner.test/x")
        seen.append(cache._cache.used_elsewhere(cache.held()))
        store.pointer = "1"
        cache._cache.poll()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(cache.call(job, lambda _: False), 0.05)
        seen.append(cache._cache.used_elsewhere(cache.held()))

    asyncio.run(service())

    # under way, answered; a coroutine under way, cancelled
    assert seen == [True, False, True, False]


def test_a_use_that_nobody_holds_any_more_is_forgotten() -> None:
    store = Store()
    cache, acks, _ = acknowledging(store)
    use = [cache.use()]
    rotated(cache, store)
    assert acks.said == ["1"]

    use.clear()
    cache._keeper.step()

    assert acks.said == ["1", "2"]
