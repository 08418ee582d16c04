"""The examples as users would run them: other processes, AWS from the emulator, a signed endpoint."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
import redis
from client_servers import Rotating, Told, part_running, publish
from rq import Queue
from rq.serializers import JSONSerializer

from sandbox.parts.ministack import Ministack
from sandbox.parts.redis import Lone
from tests.property.event_maker import SECRET, STACK, trusted, version

_ROOT = Path(__file__).parents[3]
_PATIENCE_S = 60
_HOST = "endpoint.test"
CLIENTS = 4


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with part_running(Ministack(), tmp_path_factory.mktemp("aws")) as facts:
        yield facts["aws_endpoint"]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def endpoint(told: Told) -> Iterator[str]:
    """Where acknowledgements arrive; what is not signed is refused."""

    class Routes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            signed = self.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256")
            # as the sandbox's gateway, which knows its APIs by their names only
            signed &= self.headers["Host"] == _HOST
            assert self.path == "/verbs/acknowledge"
            if signed:
                told(message)
            body = json.dumps({"ok": signed}).encode()
            self.send_response(200 if signed else 403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Routes) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def environment(aws: str, lone: Lone, endpoint: str, publisher: redis.Redis) -> dict[str, str]:
    url = f"redis://:{lone.password}@127.0.0.1:{lone.port}"
    keys = [{"key_id": key_id, "public_key_pem": pem} for key_id, pem in trusted().items()]
    return {
        **{name: said for name, said in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))},
        "AWS_ENDPOINT_URL": aws,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "KEYTURN_EVENTS": json.dumps({"stack": STACK, "rq_queue": f"keyturn-{STACK}", "keys": keys}),
        "KEYTURN_ENDPOINT": endpoint,
        "KEYTURN_ENDPOINT_HOST": _HOST,
        "EVENTS_REDIS_URL": url,
        "JOBS_REDIS_URL": url,
        "SECRET": SECRET,
        "CONSUMER": "billing",
        "PORT": "0",
        "POOL": "10",
        "PYTHONPATH": str(_ROOT),
    }


class Stored:
    """The rotating secret, put into the emulator as Keyturn does: the version id is the run's."""

    def __init__(self, aws: str, rotating: Rotating) -> None:
        session = boto3.Session("test", "test", region_name="us-east-1")
        self._client: Any = session.client("secretsmanager", endpoint_url=aws)
        self._rotating = rotating
        with suppress(self._client.exceptions.ResourceNotFoundException):
            self._client.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
        self._client.create_secret(Name=SECRET)
        self._put()

    def promote(self) -> None:
        self._rotating.promote()
        self._put()

    def _put(self) -> None:
        value = self._rotating.current().value.unsafe_reveal()
        self._client.put_secret_value(
            SecretId=SECRET, ClientRequestToken=version(self._rotating.number), SecretString=value
        )


@contextmanager
def running(program: str, environment: Mapping[str, str]) -> Iterator[str]:
    """An example until the block ends; the line that it printed once it was ready."""
    with subprocess.Popen(  # noqa: S603 - an example of the project
        [sys.executable, str(_ROOT / "examples" / program)], env=dict(environment), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(_PATIENCE_S)


def test_the_service_books_without_a_failure_through_a_rotation(
    aws: str, rotating: Rotating, environment: dict[str, str], told: Told, publisher: redis.Redis
) -> None:
    stored = Stored(aws, rotating)
    with running("service.py", environment) as port:
        told.wait_for(1)
        ended, statuses = threading.Event(), [list[int]() for _ in range(CLIENTS)]
        threads = [threading.Thread(target=_book, args=(int(port), mine, ended)) for mine in statuses]
        for thread in threads:
            thread.start()
        stored.promote()
        publish(publisher, _event(rotating))
        told.wait_for(2)
        ended_sessions = rotating.retire()
        before = [len(mine) for mine in statuses]
        _wait_until(lambda: all(len(mine) > some for mine, some in zip(statuses, before, strict=True)))
        ended.set()
        for thread in threads:
            thread.join(20)
        health = _get(int(port), "/health")

    assert {status for mine in statuses for status in mine} == {200}
    assert ended_sessions == 0
    assert health["version"] == version(2)


def test_the_worker_hears_by_a_job_and_books_with_the_new_version(
    aws: str, rotating: Rotating, environment: dict[str, str], told: Told, publisher: redis.Redis
) -> None:
    stored = Stored(aws, rotating)
    with running("worker.py", environment) as ready:
        assert ready == "working"
        told.wait_for(1)
        stored.promote()
        queue = Queue(f"keyturn-{STACK}", connection=publisher, serializer=JSONSerializer)
        queue.enqueue("keyturn.client.jobs.invalidate", _event(rotating))
        told.wait_for(2)
        rotating.retire()
        booking = Queue("bookings", connection=publisher, serializer=JSONSerializer).enqueue("worker.book", 1)
        _wait_until(lambda: booking.get_status(refresh=True) in ("finished", "failed"))

        assert booking.return_value() == version(2)


def _event(rotating: Rotating) -> dict[str, Any]:
    return rotating.event(store_version=version(rotating.number))


def _book(port: int, statuses: list[int], ended: threading.Event) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        while not ended.is_set():
            connection.request("POST", "/transfers", body=b"")
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)


def _get(port: int, path: str) -> dict[str, Any]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("GET", path)
        document: dict[str, Any] = json.loads(connection.getresponse().read())
        return document


def _wait_until(happened: Any) -> None:
    for _ in range(2_000):
        if happened():
            return
        threading.Event().wait(0.01)
    pytest.fail("it did not happen")
