"""What consumers get, through the real Valkey, RQ, and MiniStack's SQS and KMS: signed, once per id, and only ours."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import boto3
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
from store_servers import running

import keyturn.client.jobs
from rotation.calls import Meter, NullBreaker
from rotation.consumers import event, redis_link, registry
from rotation.consumers.event import Event, Notice
from rotation.contract import SecretRef, Version
from rotation.errors import Refused, Unavailable
from rotation.value import SecretValue
from sandbox.parts.ministack import Ministack
from sandbox.parts.redis import Lone, started_redis
from sandbox.publisher import USER, allow_publishing

pytestmark = pytest.mark.sandbox

STACK = "local"
CHANNEL = "keyturn:local:invalidations"
PASSWORD = "of-the-publisher"
ALL = ("redis", "sqs", "rq")
NOTICE = Notice(
    event=Event.PROMOTED,
    stack=STACK,
    secret="payments/postgres",
    store="aws",
    path="payments/postgres",
    version="0123456789abcdef0123456789abcdef",
    store_version="0123456789abcdef0123456789abcdef",
    sequence=7,
    at="2026-01-02T03:04:05.000006+00:00",
)


class Authority:
    """A store that holds the publisher's login, and counts who reads it."""

    name = "aws"

    def __init__(self, password: str = PASSWORD) -> None:
        self.reads: list[str] = []
        self._value = SecretValue.of({"username": USER, "password": password})

    def read_live(self, ref: SecretRef) -> tuple[Version, SecretValue]:
        self.reads.append(ref.path)
        return Version(id="1"), self._value


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lone]:
    with started_redis(tmp_path_factory.mktemp("valkey")) as lone:
        yield lone


@pytest.fixture
def admin(server: Lone) -> Iterator[Any]:
    with closing(Redis(port=server.port, password=server.password, decode_responses=True)) as client:
        client.flushall()
        allow_publishing(client, STACK, PASSWORD)
        client.acl_log_reset()
        yield client


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Queue and key, and where AWS is."""
    with (
        running(Ministack(), tmp_path_factory.mktemp("ministack")) as started,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in (
            ("AWS_ENDPOINT_URL", started.facts["aws_endpoint"]),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ):
            patch.setenv(name, value)
        registry._client.cache_clear()
        key = boto3.client("kms").create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["Arn"]
        queue = boto3.client("sqs").create_queue(QueueName="keyturn-local-invalidations")["QueueUrl"]
        yield {"KEYTURN_EVENTS_KEY": key, "KEYTURN_EVENTS_QUEUE_URL": queue}
        registry._client.cache_clear()


@pytest.fixture
def environment(server: Lone, cloud: Mapping[str, str]) -> dict[str, str]:
    return {
        **cloud,
        "KEYTURN_STACK": STACK,
        "KEYTURN_EVENTS_REDIS": f"127.0.0.1:{server.port}",
        "KEYTURN_EVENTS_REDIS_TLS": "off",
        "KEYTURN_EVENTS_AUTHORITY": "keyturn/authority/events",
    }


def announce(
    environment: Mapping[str, str], *channels: str, store: Any = None, meter: Meter | None = None
) -> Mapping[str, str]:
    announcer = registry.from_env(environment, store or Authority(), meter or Meter(), NullBreaker())
    return announcer.announce(NOTICE, channels)


def public_key(environment: Mapping[str, str]) -> EllipticCurvePublicKey:
    der = boto3.client("kms").get_public_key(KeyId=environment["KEYTURN_EVENTS_KEY"])["PublicKey"]
    key = load_der_public_key(der)
    assert isinstance(key, EllipticCurvePublicKey)
    return key


def check_signed(fields: Mapping[str, Any], key: EllipticCurvePublicKey) -> None:
    """Raises InvalidSignature for anything but what was signed."""
    signature = str(fields["signature"])
    der = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    key.verify(der, event.digest(fields), ECDSA(Prehashed(SHA256())))


def from_queue(environment: Mapping[str, str]) -> list[dict[str, Any]]:
    sqs, url, found = boto3.client("sqs"), environment["KEYTURN_EVENTS_QUEUE_URL"], []
    while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get(
        "Messages"
    ):
        found += got
        for one in got:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    return found


def jobs(client: Any) -> Queue:
    return Queue("keyturn-local", connection=client, serializer=JSONSerializer)


def test_every_channel_carries_the_same_event_signed_by_the_key_that_it_names(
    environment: dict[str, str], admin: Any, server: Lone
) -> None:
    from_queue(environment)
    with closing(admin.pubsub()) as listening:
        listening.subscribe(CHANNEL)
        assert listening.get_message(timeout=1)["type"] == "subscribe"
        assert announce(environment, *ALL) == dict.fromkeys(ALL, "sent")
        heard = json.loads(listening.get_message(timeout=1)["data"])
    ((_, entry),) = admin.xrange(f"{CHANNEL}:log")
    (message,) = from_queue(environment)
    with closing(Redis(port=server.port, password=server.password)) as raw:
        (job,) = jobs(raw).jobs
    assert heard == json.loads(entry["event"]) == json.loads(message["Body"]) == job.args[0]
    assert {name: one["StringValue"] for name, one in message["MessageAttributes"].items()} == {
        "secret": NOTICE.secret,
        "kind": "promoted",
    }
    assert (job.func_name, job.id) == ("keyturn.client.jobs.invalidate", NOTICE.id)
    assert heard == {**NOTICE.fields(environment["KEYTURN_EVENTS_KEY"]), "signature": heard["signature"]}
    key = public_key(environment)
    check_signed(heard, key)
    for name in heard.keys() - {"signature"}:
        forged = {**heard, name: 8 if name == "sequence" else "other"}
        with pytest.raises(InvalidSignature):
            check_signed(forged, key)


def test_a_repeat_is_the_same_event_and_the_same_one_job(environment: dict[str, str], admin: Any, server: Lone) -> None:
    for _ in range(2):
        assert set(announce(environment, "redis", "rq").values()) == {"sent"}
    first, second = [json.loads(fields["event"]) for _, fields in admin.xrange(f"{CHANNEL}:log")]
    assert {**first, "signature": ""} == {**second, "signature": ""}
    with closing(Redis(port=server.port, password=server.password)) as raw:
        assert jobs(raw).job_ids == [NOTICE.id]


def test_a_worker_with_the_json_serializer_runs_the_job_with_the_event(
    environment: dict[str, str], admin: Any, server: Lone, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, Any]] = []
    monkeypatch.setattr(keyturn.client.jobs, "invalidate", given.append)
    announce(environment, "rq")
    with closing(Redis(port=server.port, password=server.password)) as raw:
        worker = SimpleWorker([jobs(raw)], connection=raw, serializer=JSONSerializer)
        worker.work(burst=True, logging_level="ERROR")
    (fields,) = given
    check_signed(fields, public_key(environment))
    assert fields["version"] == NOTICE.version


def test_the_publishers_user_may_publish_and_nothing_else(environment: dict[str, str], admin: Any) -> None:
    assert set(announce(environment, "redis", "rq").values()) == {"sent"}
    assert admin.acl_log() == [], "publishing asks for something that the user may not do"
    for words in (
        ("GET", "anything"),
        ("XRANGE", f"{CHANNEL}:log", "-", "+"),
        ("XADD", "keyturn:prod:invalidations:log", "*", "event", "{}"),
        ("PUBLISH", "keyturn:prod:invalidations", "{}"),
        ("RPUSH", "rq:queue:other", "job"),
        ("CONFIG", "GET", "*"),
    ):
        assert "permission" in str(admin.execute_command("ACL", "DRYRUN", USER, *words)), words


def test_only_what_is_asked_for_is_called_and_the_login_is_read_once(environment: dict[str, str], admin: Any) -> None:
    store, meter = Authority(), Meter()
    assert announce(environment, store=store, meter=meter) == {}
    assert announce(environment, "sqs", store=store, meter=meter) == {"sqs": "sent"}
    assert store.reads == []
    assert meter.totals() == {"publish": 2}
    announce(environment, "redis", "rq", store=store)
    assert store.reads == ["keyturn/authority/events"]


def test_what_a_stack_does_not_have_is_no_channel(environment: dict[str, str]) -> None:
    without = {**environment, "KEYTURN_EVENTS_REDIS": ""}
    assert announce(without, "redis", "rq", "sqs") == {
        "redis": "not_configured",
        "rq": "not_configured",
        "sqs": "sent",
    }
    assert announce({"KEYTURN_STACK": STACK}, *ALL) == dict.fromkeys(ALL, "not_configured")


def test_one_channel_that_is_down_keeps_no_other_from_its_event(environment: dict[str, str], admin: Any) -> None:
    from_queue(environment)
    down = {**environment, "KEYTURN_EVENTS_REDIS": "127.0.0.1:1"}
    assert announce(down, *ALL) == {
        "redis": "failed:redis_unreachable",
        "rq": "failed:redis_unreachable",
        "sqs": "sent",
    }
    assert len(from_queue(environment)) == 1
    refused = announce(environment, "redis", store=Authority(password="another"))
    assert refused == {"redis": "failed:redis_denied"}


def test_without_a_signature_nothing_is_sent(environment: dict[str, str], admin: Any) -> None:
    unsigned = {**environment, "KEYTURN_EVENTS_KEY": environment["KEYTURN_EVENTS_KEY"].replace("key/", "key/0")}
    told = announce(unsigned, *ALL)
    assert all(how.startswith("failed:aws_") for how in told.values()), told
    assert admin.keys("*") == []


def test_a_login_that_is_no_login_is_named_and_not_shown(environment: dict[str, str]) -> None:
    class Broken(Authority):
        def read_live(self, ref: SecretRef) -> tuple[Version, SecretValue]:
            raise Unavailable("store_down", "no answer")

    assert announce(environment, "redis", store=Broken()) == {"redis": "failed:store_down"}
    odd = Authority()
    odd._value = SecretValue("marker-of-a-value")
    assert announce(environment, "redis", store=odd) == {"redis": "failed:authority_unreadable"}


def test_tls_is_not_left_out_by_accident() -> None:
    assert redis_link.address("redis.example:6380", "verify").verified
    for text, tls in (("redis.example", "verify"), ("redis.example:6380", ""), (":1", "off")):
        with pytest.raises(Refused, match="configuration"):
            redis_link.address(text, tls)
