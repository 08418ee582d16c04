"""Consumers of a deployed stack hear of each rotation on every channel, signed, and the client library follows."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import pytest
import redis
from runs_catalogue import altered
from runs_credentials import ALL, POSTGRES
from runs_stack import Ended, Stack, until

from keyturn.client import SecretCache
from keyturn.client.events import Event
from keyturn.client.keys import KeyRing
from keyturn.client.listeners.redis_events import RedisEvents
from keyturn.client.settings import Settings
from keyturn.client.sources.aws import AwsSource
from keyturn.client.verify import Expected, verify

pytestmark = [pytest.mark.sandbox, pytest.mark.openbao, pytest.mark.postgres]

CHANNELS = ["redis", "sqs", "rq"]
STREAM = "keyturn:local:invalidations:log"
NAMES = sorted(credential.name for credential in ALL)
# SQS gives at most ten messages at a time.
MOST = 10


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What the channels had of a rotation and a retirement of every credential; `cached`: the library's version."""

    rotations: dict[str, Ended]
    retirements: dict[str, Ended]
    stream: list[Event]
    queue: list[Event]
    jobs: set[str]
    cached: str
    refused: dict[str, int]


@pytest.fixture(scope="module")
def heard(stack: Stack, lives: object) -> Iterator[Heard]:
    """One rotation and retirement of each, while a service follows the first."""
    told = Settings.from_json(str(stack.outputs["events"]))
    stack.settle(*NAMES)
    address = f"redis://:{stack.credentials.redis_admin_password}@127.0.0.1:{stack.facts.redis_port}/0"
    with ExitStack() as opened:
        for name in NAMES:
            opened.enter_context(altered(stack, name, lambda policy: policy.update(invalidate=CHANNELS)))
        server = opened.enter_context(closing(redis.Redis.from_url(address)))
        # others may have told of their rotations before
        earlier = server.xlen(STREAM)
        source = AwsSource(stack.aws("secretsmanager"), POSTGRES.name)
        events = RedisEvents.from_url(address, told.stack)
        cache = SecretCache(POSTGRES.name, source, stack=told.stack, keys=told.keys, events=events)
        with cache:
            until(lambda: cache.listening or None, "the library to listen")
            rotations = _all(stack, "rotate")
            promoted = rotations[POSTGRES.name].run["run_id"]
            until(lambda: cache.held().version == promoted or None, "the library to follow")
            retirements = {name: stack.retire(name) for name in NAMES}
            stream = [_believed(told, fields[b"event"]) for _, fields in server.xrange(STREAM)[earlier:]]
            yield Heard(
                rotations=rotations,
                retirements=retirements,
                stream=stream,
                queue=_queued(stack, told),
                jobs={job.decode() for job in server.lrange(f"rq:queue:{told.rq_queue}", 0, -1)},
                cached=cache.held().version,
                refused=dict(cache.counters.refused),
            )


def _all(stack: Stack, machine: str) -> dict[str, Ended]:
    begun = {name: stack.begin(machine, name) for name in NAMES}
    return {name: stack.ended(started) for name, started in begun.items()}


def _believed(told: Settings, raw: bytes | str) -> Event:
    """The event, if the published keys say that the stack made it."""
    return verify(raw, Expected(stack=told.stack, keys=KeyRing(told.keys)), time.time())


def _queued(stack: Stack, told: Settings) -> list[Event]:
    sqs: Any = stack.aws("sqs")
    events: list[Event] = []
    while messages := sqs.receive_message(QueueUrl=told.queue_url, MaxNumberOfMessages=MOST).get("Messages"):
        events += [_believed(told, message["Body"]) for message in messages]
        for message in messages:
            sqs.delete_message(QueueUrl=told.queue_url, ReceiptHandle=message["ReceiptHandle"])
    return events


def test_every_rotation_and_retirement_is_told_once_on_every_channel(heard: Heard) -> None:
    wanted = sorted(("promoted", name, heard.rotations[name].run["run_id"]) for name in NAMES)
    wanted += sorted(("retired", name, heard.rotations[name].run["run_id"]) for name in NAMES)
    for channel in (heard.stream, heard.queue):
        assert sorted((event.kind, event.secret, event.version) for event in channel) == wanted
    assert heard.jobs == {event.id for event in heard.stream}


def test_an_event_names_the_version_that_the_store_made_current(heard: Heard) -> None:
    for event in heard.stream:
        promoted = heard.rotations[event.secret].step("promote")["facts"]["version"]
        assert event.store_version == promoted


@pytest.mark.parametrize("name", NAMES)
def test_a_run_records_where_it_told_of_it(heard: Heard, name: str) -> None:
    for ended, step in ((heard.rotations[name], "publish"), (heard.retirements[name], "publish_retired")):
        assert ended.status == "SUCCEEDED"
        facts = ended.step(step)["facts"]
        assert {channel: facts[channel] for channel in CHANNELS} == dict.fromkeys(CHANNELS, "sent")


def test_the_library_follows_without_a_restart_and_refuses_nothing_of_it(heard: Heard) -> None:
    assert heard.cached == heard.rotations[POSTGRES.name].run["run_id"]
    assert set(heard.refused) <= {"wrong_secret"}


def test_no_value_is_in_what_consumers_are_told(heard: Heard, stack: Stack) -> None:
    told = json.dumps([[str(event) for event in heard.stream], [str(event) for event in heard.queue]])
    assert stack.known
    assert not [value for value in stack.known if value in told]
