"""A server on a clock that stands still, the real client on it, and a secret to work with."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from google.cloud.secretmanager_v1 import SecretManagerServiceClient

from sandbox.google.clocks import StandingClock
from sandbox.google.remote import plaintext_client
from sandbox.google.server import GoogleServer

PARENT = "projects/keyturn-local"


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def server(clock: StandingClock) -> Iterator[GoogleServer]:
    running = GoogleServer(clock)
    yield running
    running.stop()


@pytest.fixture
def endpoint(server: GoogleServer) -> str:
    return f"127.0.0.1:{server.start()}"


@pytest.fixture
def client(endpoint: str) -> Iterator[SecretManagerServiceClient]:
    connected = plaintext_client(endpoint)
    yield connected
    connected.transport.close()


@pytest.fixture
def secret(client: SecretManagerServiceClient) -> str:
    """The full name of an empty secret that publishes to one topic."""
    made = client.create_secret(
        request={
            "parent": PARENT,
            "secret_id": "signing-key",
            "secret": {
                "replication": {"automatic": {}},
                "labels": {"team": "analytics"},
                "topics": [{"name": "projects/keyturn-local/topics/secrets"}],
            },
        }
    )
    return made.name


@pytest.fixture
def add(client: SecretManagerServiceClient, secret: str) -> Callable[[bytes], str]:
    """Adds a version with these bytes and returns its full name."""

    def call(data: bytes) -> str:
        return client.add_secret_version(request={"parent": secret, "payload": {"data": data}}).name

    return call


@pytest.fixture
def alias(client: SecretManagerServiceClient, secret: str) -> Callable[..., None]:
    """Replaces the whole alias map of the secret, unfenced."""

    def call(**aliases: int) -> None:
        client.update_secret(
            request={
                "secret": {"name": secret, "version_aliases": aliases},
                "update_mask": {"paths": ["version_aliases"]},
            }
        )

    return call
