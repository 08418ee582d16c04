"""A worker that hears of rotations by RQ: the job of Keyturn runs in the process that holds the cache.

Each of its own jobs (`book`) takes the password from the cache. The environment: that of `service` without PORT and
POOL; JOBS_REDIS_URL is where RQ's queues are. BURST ends it when the queues are empty.
"""  # noqa: INP001 - a program

from __future__ import annotations

import os
from importlib import import_module

import boto3
import psycopg
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from keyturn.client import Acknowledger, Held, SecretCache
from keyturn.client.pools.postgres import parameters, refused
from keyturn.client.settings import Settings
from keyturn.client.sources.aws import AwsSource
from keyturn.client.transports.signed_endpoint import SignedEndpoint

_BOOK = "INSERT INTO transfers (cents) VALUES (%s)"
_caches: list[SecretCache] = []


def book(cents: int) -> str:
    """A job: book a transfer; the version (of Keyturn) that it was booked with."""

    def attempt(held: Held) -> str:
        with psycopg.connect(**parameters(held, "", {})) as connection:
            connection.execute(_BOOK, (cents,))
        return held.version

    return _caches[0].call(attempt, refused)


def main() -> None:
    """Work until stopped. `SimpleWorker`, because a forked process would hear in the cache's place."""
    environment = os.environ
    told, secret = Settings.from_json(environment["KEYTURN_EVENTS"]), environment["SECRET"]
    source = AwsSource(boto3.client("secretsmanager"), secret)
    endpoint, region = environment["KEYTURN_ENDPOINT"], environment["AWS_DEFAULT_REGION"]
    send = SignedEndpoint(endpoint, region, host=environment.get("KEYTURN_ENDPOINT_HOST", ""))
    with (
        Redis.from_url(environment["JOBS_REDIS_URL"]) as redis,
        Acknowledger(send, consumer=environment["CONSUMER"]) as ack,
        SecretCache(secret, source, stack=told.stack, keys=told.keys, ack=ack) as cache,
    ):
        _caches.append(cache)
        queues = [Queue(name, connection=redis, serializer=JSONSerializer) for name in (told.rq_queue, "bookings")]
        worker = SimpleWorker(queues, connection=redis, serializer=JSONSerializer)
        print("working", flush=True)  # noqa: T201 - whoever started it waits for this line
        worker.work(burst="BURST" in environment, with_scheduler=False)


if __name__ == "__main__":
    # RQ imports jobs by their module's name: the one that holds the cache must be that one
    import_module("worker").main()
