"""The servers of `subscribers`: a real OpenBao and Valkey, the emulator's KMS, and the endpoint of control."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from cryptography.hazmat.primitives import serialization
from redis import Redis

from bench.subscribers_world import CONSUMER, MOUNT, PATH, Subscribed, serving
from rotation.stores import vault_client
from sandbox.consumer import USER as LISTENER
from sandbox.consumer import allow_listening
from sandbox.parts.ministack import Ministack
from sandbox.parts.openbao import Openbao
from sandbox.parts.redis import Lone, started_redis
from sandbox.publisher import USER as PUBLISHER
from sandbox.publisher import allow_publishing
from tests.contract.store_servers import running
from tests.model.world import NAME

STACK = "local"
_PASSWORD = "of-the-benchmark"  # noqa: S105 - of servers that end with it


@dataclass(frozen=True, kw_only=True)
class Place:
    """The world, and what its subscribers are told; `redis` lies in `folder`."""

    world: Subscribed
    told: Mapping[str, Any]
    folder: Path
    lone: Lone


@contextmanager
def place() -> Iterator[Place]:
    """Servers of its own, and a secret without a version."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="keyturn-bench-")))
        vault = opened.enter_context(running(Openbao(), folder / "vault"))
        cloud = opened.enter_context(running(Ministack(), folder / "cloud"))
        lone = opened.enter_context(started_redis(folder))
        opened.enter_context(_aws(cloud.facts["aws_endpoint"]))
        key = boto3.client("kms").create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["Arn"]
        address, token = str(vault.facts["vault_address"]), vault.credentials["vault_root_token"]
        _furnish(address, token, lone)
        world = Subscribed(_environment(key, lone), address, token)
        server = opened.enter_context(serving(world))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        opened.callback(thread.join)
        opened.callback(server.shutdown)
        told = {
            "events": json.dumps({"stack": STACK, "keys": [{"key_id": key, "public_key_pem": _pem(key)}]}),
            "vault": address,
            "token": token,
            "path": PATH,
            "redis_url": f"redis://{LISTENER}:{_PASSWORD}@127.0.0.1:{lone.port}",
            "endpoint": f"http://127.0.0.1:{server.server_port}",
            "consumer": CONSUMER,
            "secret": NAME,
        }
        yield Place(world=world, told=told, folder=folder, lone=lone)


@contextmanager
def _aws(endpoint: str) -> Iterator[None]:
    """What the announcer's clients find in the environment."""
    given = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    boto3.setup_default_session()
    try:
        yield
    finally:
        for name, said in before.items():
            os.environ.pop(name)
            if said is not None:
                os.environ[name] = said


def _environment(key: str, lone: Lone) -> dict[str, str]:
    return {
        "KEYTURN_STACK": STACK,
        "KEYTURN_EVENTS_KEY": key,
        "KEYTURN_EVENTS_REDIS": f"127.0.0.1:{lone.port}",
        "KEYTURN_EVENTS_REDIS_TLS": "off",
        "KEYTURN_EVENTS_AUTHORITY": f"{MOUNT}/authority/events",
    }


def _furnish(address: str, token: str, lone: Lone) -> None:
    """The mount with the publisher's login, and the two users of Redis."""
    admin: Any = vault_client.client(address)
    admin.token = token
    admin.sys.enable_secrets_engine("kv", path=MOUNT, options={"version": "2"})
    admin.secrets.kv.v2.configure(max_versions=10, cas_required=True, mount_point=MOUNT)
    login = {"username": PUBLISHER, "password": _PASSWORD}
    admin.secrets.kv.v2.create_or_update_secret("authority/events", secret=login, cas=0, mount_point=MOUNT)
    with closing(Redis(port=lone.port, password=lone.password)) as redis:
        allow_publishing(redis, STACK, _PASSWORD)
        allow_listening(redis, STACK, _PASSWORD)
        redis.acl_save()


def _pem(key: str) -> str:
    der = boto3.client("kms").get_public_key(KeyId=key)["PublicKey"]
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return serialization.load_der_public_key(der).public_bytes(serialization.Encoding.PEM, spki).decode()
