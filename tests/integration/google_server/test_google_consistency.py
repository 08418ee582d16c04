"""Eventual consistency: what readers see while the service converges, and what they always see."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from google.api_core.exceptions import FailedPrecondition, NotFound
from google.cloud.secretmanager_v1 import SecretManagerServiceClient as Client
from google.cloud.secretmanager_v1 import SecretVersion

from sandbox.google.clocks import StandingClock
from sandbox.google.server import GoogleServer

Add = Callable[[bytes], str]
Alias = Callable[..., None]


def value(client: Client, secret: str, label: str) -> bytes:
    return client.access_secret_version(request={"name": f"{secret}/versions/{label}"}).payload.data


def test_an_added_version_is_accessible_by_number_at_once_while_everything_else_is_stale(
    client: Client, secret: str, add: Add, alias: Alias, server: GoogleServer
) -> None:
    add(b"one")
    alias(current=1)
    server.set_lag(stale=True)
    add(b"two")
    alias(current=2)
    assert value(client, secret, "2") == b"two"
    assert value(client, secret, "latest") == b"one"
    assert value(client, secret, "current") == b"one"
    assert dict(client.get_secret(request={"name": secret}).version_aliases) == {"current": 1}
    assert len(list(client.list_secret_versions(request={"parent": secret}))) == 1
    with pytest.raises(NotFound):
        client.get_secret_version(request={"name": f"{secret}/versions/2"})
    listed = next(iter(client.list_secrets(request={"parent": secret.rsplit("/secrets", 1)[0]})))
    assert dict(listed.version_aliases) == {"current": 1}


def test_everything_is_seen_once_staleness_is_released(
    client: Client, secret: str, add: Add, alias: Alias, server: GoogleServer
) -> None:
    add(b"one")
    server.set_lag(stale=True)
    alias(current=1)
    server.set_lag()
    assert value(client, secret, "current") == b"one"
    assert dict(client.get_secret(request={"name": secret}).version_aliases) == {"current": 1}


def test_a_second_freeze_starts_from_what_was_seen_last(
    client: Client, secret: str, add: Add, server: GoogleServer
) -> None:
    for data, before in ((b"one", None), (b"two", b"one")):
        server.set_lag(stale=True)
        add(data)
        if before is not None:
            assert value(client, secret, "latest") == before
        server.set_lag()
        assert value(client, secret, "latest") == data


def test_a_pointer_follows_after_the_lag_and_each_write_has_its_own(
    client: Client, add: Add, alias: Alias, server: GoogleServer, clock: StandingClock
) -> None:
    secret = add(b"one").removesuffix("/versions/1")
    add(b"two")
    alias(current=1)
    server.set_lag(seconds=3600)
    alias(current=2)
    clock.advance(1800)
    alias(current=1, canary=2)
    clock.advance(1799)
    assert value(client, secret, "current") == b"one"
    clock.advance(1)
    assert value(client, secret, "current") == b"two"
    clock.advance(1800)
    assert dict(client.get_secret(request={"name": secret}).version_aliases) == {"current": 1, "canary": 2}


def test_an_etag_read_while_stale_does_not_pass_the_fence(
    client: Client, secret: str, add: Add, alias: Alias, server: GoogleServer
) -> None:
    add(b"one")
    server.set_lag(stale=True)
    alias(current=1)
    seen = client.get_secret(request={"name": secret})
    with pytest.raises(FailedPrecondition, match="etag"):
        client.update_secret(
            request={"secret": {"name": secret, "etag": seen.etag}, "update_mask": {"paths": ["version_aliases"]}}
        )


def test_a_disabled_version_is_refused_by_number_even_while_its_metadata_is_stale(
    client: Client, secret: str, add: Add, server: GoogleServer
) -> None:
    name = add(b"one")
    server.set_lag(stale=True)
    client.disable_secret_version(request={"name": name})
    assert client.get_secret_version(request={"name": name}).state is SecretVersion.State.ENABLED
    with pytest.raises(FailedPrecondition, match="DISABLED"):
        value(client, secret, "1")
