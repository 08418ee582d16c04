"""The documented request rates, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from google.api_core.exceptions import ResourceExhausted
from google.cloud.secretmanager_v1 import SecretManagerServiceClient as Client
from google.rpc.error_details_pb2 import RetryInfo

from sandbox.google.clocks import StandingClock
from sandbox.google.server import GoogleServer

Add = Callable[[bytes], str]

PARENT = "projects/keyturn-local"


def relabel(client: Client, secret: str) -> None:
    client.update_secret(request={"secret": {"name": secret, "labels": {}}, "update_mask": {"paths": ["labels"]}})


def wait_s(refused: pytest.ExceptionInfo[ResourceExhausted]) -> float:
    (hint,) = [detail for detail in refused.value.details if isinstance(detail, RetryInfo)]
    return hint.retry_delay.ToMilliseconds() / 1000


def test_quotas_are_off_until_they_are_switched_on(client: Client, secret: str) -> None:
    for _ in range(5):
        relabel(client, secret)


def test_a_secret_takes_two_adds_and_updates_a_second_together(
    client: Client, secret: str, add: Add, server: GoogleServer, clock: StandingClock
) -> None:
    server.switches.quotas = True
    add(b"one")
    clock.advance(0.4)
    relabel(client, secret)
    with pytest.raises(ResourceExhausted, match="Write requests") as refused:
        add(b"two")
    assert wait_s(refused) == 0.6
    clock.advance(0.6)
    add(b"two")


def test_a_version_takes_one_change_of_state_a_second_and_its_sister_is_free(
    client: Client, secret: str, add: Add, server: GoogleServer, clock: StandingClock
) -> None:
    first, second = add(b"one"), add(b"two")
    server.switches.quotas = True
    client.disable_secret_version(request={"name": first})
    client.disable_secret_version(request={"name": second})
    with pytest.raises(ResourceExhausted):
        client.destroy_secret_version(request={"name": first})
    clock.advance(1)
    client.destroy_secret_version(request={"name": first})


def test_a_project_takes_600_writes_a_minute_and_its_reads_are_counted_apart(
    client: Client, server: GoogleServer, clock: StandingClock
) -> None:
    server.switches.quotas = True
    request = {"parent": PARENT, "secret": {"replication": {"automatic": {}}}}
    for number in range(600):
        client.create_secret(request={**request, "secret_id": f"s{number}"})
    with pytest.raises(ResourceExhausted) as refused:
        client.create_secret(request={**request, "secret_id": "one-more"})
    assert wait_s(refused) == 60
    assert client.get_secret(request={"name": f"{PARENT}/secrets/s0"}).name.endswith("/s0")
    client.create_secret(request={**request, "parent": "projects/other", "secret_id": "s"})
    clock.advance(60)
    client.create_secret(request={**request, "secret_id": "one-more"})
