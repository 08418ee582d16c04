"""httpx, boto3, SQS, RQ's job and asyncio, each against a model of its other side."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

import httpx
import pytest
from botocore.awsrequest import AWSResponse
from client_bench import Channel, Store, cache_of

from keyturn.client import AsyncSecretCache, ClientError, Unheard, aio, jobs, registry
from keyturn.client.listeners.sqs_events import SqsEvents
from keyturn.client.pools import boto3_session
from keyturn.client.pools.httpx_auth import AsyncCacheAuth, CacheAuth
from keyturn.client.value import Held
from tests.property.event_maker import SECRET, event, version

TASKS = 50


class Tokens(Store):
    """Versions that hold a token, or an access key."""

    def put(self, number: str) -> None:
        fields = {"token": f"token-{number}", "access_key_id": f"KEY{number}", "secret_access_key": f"word-{number}"}
        self.versions[number] = json.dumps(fields)
        self.pointer = number


def partner(accepted: Collection[str], faulty: Collection[str] = ()) -> tuple[list[str], httpx.MockTransport]:
    """A partner's API that accepts these tokens and breaks at others, and what was shown to it."""
    shown: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        shown.append(token)
        if token in faulty:
            return httpx.Response(503)
        return httpx.Response(200 if token in accepted else 401, content=request.content)

    return shown, httpx.MockTransport(answer)


def test_a_401_is_tried_again_with_the_next_token_and_the_whole_body() -> None:
    store = Tokens()
    cache = cache_of(store)
    cache.get()
    store.put("2")
    shown, transport = partner({"token-2"})

    with httpx.Client(transport=transport, auth=CacheAuth(cache)) as client:
        answers = [client.post("https://partner.test/x", content=b"body") for _ in range(2)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"body")] * 2
    assert shown == ["token-1", "token-2", "token-2"]


def test_a_partner_that_refuses_everything_is_asked_with_each_value_once() -> None:
    shown, transport = partner(())

    with httpx.Client(transport=transport, auth=CacheAuth(cache_of(Tokens()))) as client:
        assert client.get("https://partner.test/x").status_code == 401
    assert shown == ["token-1"]


def test_fifty_tasks_that_are_refused_at_once_make_one_read() -> None:
    store = Tokens()
    shown, transport = partner({"token-2"})

    async def service() -> list[int]:
        async with AsyncSecretCache(SECRET, store) as cache:
            store.put("2")
            async with httpx.AsyncClient(transport=transport, auth=AsyncCacheAuth(cache)) as client:
                answers = await asyncio.gather(*(client.get("https://partner.test/x") for _ in range(TASKS)))
            return [answer.status_code for answer in answers]

    assert asyncio.run(service()) == [200] * TASKS
    assert store.reads == ["current", "current"]
    assert shown.count("token-1") <= TASKS


def test_an_asyncio_follower_is_moved_on_its_own_loop() -> None:
    store, channel = Store(), Channel()

    async def service() -> list[tuple[str, bool]]:
        loop, moved, done = asyncio.get_running_loop(), list[tuple[str, bool]](), asyncio.Event()

        class Follower:
            async def follow(self, held: Held) -> None:
                moved.append((held.store_version, asyncio.get_running_loop() is loop))
                if held.store_version == "2":
                    done.set()

            def behind(self, held: Held) -> bool:
                return False

        async with AsyncSecretCache(SECRET, store, poll_s=0.01) as cache:
            cache.add(Follower())
            store.put("2")
            await asyncio.wait_for(done.wait(), 10)
        return moved

    assert asyncio.run(service())[-1] == ("2", True)
    assert channel.hearers == []


def test_a_client_of_the_other_kind_is_refused_instead_of_sent_without_a_token() -> None:
    shown, transport = partner({"token-1"})

    async def on_a_loop() -> None:
        async with httpx.AsyncClient(transport=transport, auth=CacheAuth(cache_of(Tokens()))) as client:
            await client.get("https://partner.test/x")

    with pytest.raises(ClientError, match="wrong_client"):
        asyncio.run(on_a_loop())
    asynchronous = AsyncCacheAuth(AsyncSecretCache(SECRET, Tokens()))
    with (
        httpx.Client(transport=transport, auth=asynchronous) as client,
        pytest.raises(ClientError, match="wrong_client"),
    ):
        client.get("https://partner.test/x")
    assert shown == []


def test_a_request_under_way_when_the_asyncio_cache_is_closed_has_its_next_value() -> None:
    store = Tokens()
    shown, transport = partner({"token-2"})

    async def service() -> int:
        cache = await AsyncSecretCache(SECRET, store).start()
        store.put("2")
        await cache.close()
        async with httpx.AsyncClient(transport=transport, auth=AsyncCacheAuth(cache)) as client:
            answer = await client.get("https://partner.test/x")
        await cache.start()
        await cache.close()
        return answer.status_code

    assert asyncio.run(service()) == 200
    assert shown == ["token-1", "token-2"]


def test_an_asyncio_follower_that_is_removed_or_too_slow_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aio, "_FOLLOW_S", 0.01)
    store = Store()

    async def service() -> list[str]:
        stopped, said = asyncio.Event(), list[str]()

        class Slow:
            async def follow(self, held: Held) -> None:
                said.append(held.store_version)
                try:
                    await asyncio.Event().wait()
                finally:
                    stopped.set()

            def behind(self, held: Held) -> bool:
                return True

        async with AsyncSecretCache(SECRET, store) as cache:
            cache.add(follower := Slow())
            await asyncio.wait_for(stopped.wait(), 10)
            cache.remove(follower)
            assert cache._cache._keeper._all() == []
            cache.remove(follower)
        return said

    assert set(asyncio.run(service())) == {"1"}


def aws_session(store: Tokens, *accepted: str) -> tuple[list[str], Any]:
    """A client of an STS that knows these access keys, and which were shown to it."""
    shown: list[str] = []
    session = boto3_session.session(cache_of(store), region_name="us-east-1")
    client = session.client("sts")
    client.meta.events.register("before-send", answering(shown, accepted))
    return shown, client


def answering(shown: list[str], accepted: Collection[str], faulty: Collection[str] = ()) -> Callable[..., AWSResponse]:
    """STS in botocore's place of the network."""

    def answer(request: Any, **_: Any) -> AWSResponse:
        key = request.headers["Authorization"].decode().split("Credential=")[1].split("/")[0]
        shown.append(key)
        known = key in accepted
        body = _UNKNOWN_KEY if not known and key not in faulty else _IDENTITY
        raw: Any = io.BytesIO(body)
        raw.stream = lambda *_args, **_kwargs: iter([body])
        status = 503 if key in faulty else 200 if known else 403
        return AWSResponse(request.url, status, {"Content-Type": "text/xml"}, raw)

    return answer


_IDENTITY = b"<R><GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult></R>"
_UNKNOWN_KEY = b"<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>m</Message></Error></ErrorResponse>"


def test_a_request_of_boto3_with_a_revoked_key_is_signed_again_with_the_new_one() -> None:
    store = Tokens()
    shown, client = aws_session(store, "KEY2")
    store.put("2")
    # the session was made with the first version
    assert [client.get_caller_identity()["Account"] for _ in range(2)] == ["1", "1"]
    assert shown == ["KEY1", "KEY2", "KEY2"]


def test_a_key_that_aws_knows_in_no_version_is_the_callers_error_after_one_try_each() -> None:
    shown, client = aws_session(Tokens())

    with pytest.raises(client.exceptions.ClientError, match="InvalidClientTokenId"):
        client.get_caller_identity()
    assert shown == ["KEY1"]


def test_credentials_that_a_session_was_asked_for_once_are_those_of_the_moment() -> None:
    store = Tokens()
    cache = cache_of(store)
    session = boto3_session.session(cache, region_name="us-east-1")
    found = session.get_credentials()
    assert found.access_key == "KEY1"
    store.put("2")
    cache.poll()

    frozen = found.get_frozen_credentials()
    assert (found.access_key, found.secret_key, found.token) == ("KEY2", "word-2", None)
    assert (frozen.access_key, frozen.secret_key, frozen.token) == ("KEY2", "word-2", None)
    # of whoever signs by itself, as other libraries do
    url = session.client("s3").generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
    assert "KEY2" in url
    assert "word-2" not in f"{found!r} {vars(found)}"


class Sqs:
    """A queue: messages wait until they are deleted; without one, a call ends the listening."""

    def __init__(self, *bodies: str) -> None:
        self.waiting = {str(number): body for number, body in enumerate(bodies)}
        self.listener: SqsEvents | None = None

    def receive_message(self, **_: Any) -> dict[str, Any]:
        if not self.waiting and self.listener is not None:
            self.listener._ears.ended.set()
        return {"Messages": [{"Body": body, "ReceiptHandle": handle} for handle, body in self.waiting.items()]}

    def delete_message(self, *, ReceiptHandle: str, **_: Any) -> None:  # noqa: N803 - as boto3 calls it
        del self.waiting[ReceiptHandle]


def test_messages_of_a_queue_reach_the_cache_and_are_deleted_forged_ones_too() -> None:
    store = Store()
    cache = cache_of(store)
    cache.get()
    store.put("2")
    queue = Sqs("noise", json.dumps(event(2)))
    queue.listener = SqsEvents(queue, "https://queue.test", wait_s=0)
    queue.listener.attach(cache)
    assert queue.listener._ears.ended.wait(10)
    queue.listener.detach(cache)

    assert cache.held().version == version(2)
    assert (cache.counters.refused, queue.waiting) == ({"not_json": 1}, {})


def test_the_job_reaches_the_caches_of_its_process_and_fails_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = Store()
    document: Mapping[str, Any] = event(2)
    with pytest.raises(Unheard, match="no_cache"):
        jobs.invalidate(document)
    with cache_of(store) as cache:
        store.put("2")
        assert jobs.invalidate(document) == 1
        assert cache.held().version == version(2)
        with pytest.raises(Unheard, match="no_cache"):
            jobs.invalidate({})

        with monkeypatch.context() as patch:
            patch.setattr(registry.os, "getpid", lambda: -1)
            with pytest.raises(Unheard, match="another_process"):
                jobs.invalidate(document)
