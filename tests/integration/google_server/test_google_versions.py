"""Adding, reading, accessing and retiring versions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from google.api_core.exceptions import FailedPrecondition, InvalidArgument, NotFound
from google.cloud.secretmanager_v1 import AccessSecretVersionResponse, SecretVersion
from google.cloud.secretmanager_v1 import SecretManagerServiceClient as Client

from sandbox.google.clocks import StandingClock
from sandbox.google.crc32c import crc32c
from sandbox.google.server import GoogleServer

Add = Callable[[bytes], str]
Alias = Callable[..., None]

State = SecretVersion.State
TTL_S = 86_400


def access(client: Client, name: str) -> AccessSecretVersionResponse:
    return client.access_secret_version(request={"name": name})


def delay_destruction(client: Client, secret: str, seconds: int) -> None:
    client.update_secret(
        request={
            "secret": {"name": secret, "version_destroy_ttl": {"seconds": seconds}},
            "update_mask": {"paths": ["version_destroy_ttl"]},
        }
    )


def test_the_checksum_is_the_castagnoli_one() -> None:
    # RFC 3720, appendix B.4: 32 bytes of zeroes, and the common check value
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"123456789") == 0xE3069283


def test_versions_are_numbered_from_one_and_start_enabled(client: Client, secret: str, add: Add) -> None:
    assert [add(b"one"), add(b"two")] == [f"{secret}/versions/1", f"{secret}/versions/2"]
    found = client.get_secret_version(request={"name": f"{secret}/versions/1"})
    assert found.state is State.ENABLED
    assert found.etag.startswith('"')


def test_the_same_add_twice_makes_two_versions(client: Client, secret: str, add: Add) -> None:
    assert add(b"same") != add(b"same")
    assert len(list(client.list_secret_versions(request={"parent": secret}))) == 2


def test_adding_a_version_leaves_the_etag_of_the_secret_alone(client: Client, secret: str, add: Add) -> None:
    before = client.get_secret(request={"name": secret}).etag
    add(b"one")
    assert client.get_secret(request={"name": secret}).etag == before


def test_a_matching_checksum_is_confirmed_and_an_absent_one_is_not(client: Client, secret: str) -> None:
    payload = {"data": b"one", "data_crc32c": crc32c(b"one")}
    checked = client.add_secret_version(request={"parent": secret, "payload": payload})
    plain = client.add_secret_version(request={"parent": secret, "payload": {"data": b"one"}})
    assert checked.client_specified_payload_checksum
    assert not plain.client_specified_payload_checksum


def test_a_wrong_checksum_is_refused_without_a_version_and_without_the_value_in_the_message(
    client: Client, secret: str
) -> None:
    payload = {"data": b"marker-5f1c", "data_crc32c": crc32c(b"other")}
    with pytest.raises(InvalidArgument, match="checksum") as refused:
        client.add_secret_version(request={"parent": secret, "payload": payload})
    assert "marker-5f1c" not in str(refused.value)
    assert list(client.list_secret_versions(request={"parent": secret})) == []


def test_a_checksum_of_zero_counts_as_given(client: Client, secret: str) -> None:
    with pytest.raises(InvalidArgument, match="checksum"):
        client.add_secret_version(request={"parent": secret, "payload": {"data": b"one", "data_crc32c": 0}})


def test_a_payload_has_at_most_64_kibibytes_and_at_least_one(client: Client, secret: str, add: Add) -> None:
    assert access(client, add(b"x" * 65_536)).payload.data == b"x" * 65_536
    for data in (b"x" * 65_537, b""):
        with pytest.raises(InvalidArgument, match="bytes"):
            add(data)


def test_an_access_answers_value_checksum_and_the_name_with_the_number(
    client: Client, secret: str, add: Add, alias: Alias
) -> None:
    add(b"one")
    add(b"two")
    alias(current=1)
    for label, number, data in (("2", 2, b"two"), ("latest", 2, b"two"), ("current", 1, b"one")):
        found = access(client, f"{secret}/versions/{label}")
        assert (found.name, found.payload.data) == (f"{secret}/versions/{number}", data)
        assert found.payload.data_crc32c == crc32c(data)


def test_latest_is_the_most_recently_created_version_even_when_it_is_disabled(
    client: Client, secret: str, add: Add
) -> None:
    add(b"one")
    client.disable_secret_version(request={"name": add(b"two")})
    with pytest.raises(FailedPrecondition, match="is in DISABLED state"):
        access(client, f"{secret}/versions/latest")


@pytest.mark.parametrize("label", ["latest", "1", "unknown"])
def test_an_access_to_what_is_not_there_is_not_found(client: Client, secret: str, label: str) -> None:
    with pytest.raises(NotFound):
        access(client, f"{secret}/versions/{label}")
    with pytest.raises(NotFound):
        client.get_secret_version(request={"name": f"{secret}/versions/{label}"})


def test_versions_are_listed_newest_first_in_every_state_and_paged(client: Client, secret: str, add: Add) -> None:
    names = [add(data) for data in (b"one", b"two", b"three")]
    client.destroy_secret_version(request={"name": names[0]})
    found = list(client.list_secret_versions(request={"parent": secret, "page_size": 2}))
    assert [item.name for item in found] == names[::-1]
    assert [item.state for item in found] == [State.ENABLED, State.ENABLED, State.DESTROYED]


def test_a_disabled_version_is_refused_until_it_is_enabled_again(client: Client, add: Add) -> None:
    name = add(b"one")
    assert client.disable_secret_version(request={"name": name}).state is State.DISABLED
    with pytest.raises(FailedPrecondition, match="DISABLED"):
        access(client, name)
    assert client.enable_secret_version(request={"name": name}).state is State.ENABLED
    assert access(client, name).payload.data == b"one"


def test_a_destroyed_version_is_gone_for_good_and_stays_listed(client: Client, add: Add) -> None:
    name = add(b"one")
    destroyed = client.destroy_secret_version(request={"name": name})
    assert destroyed.state is State.DESTROYED
    assert destroyed.destroy_time.timestamp() == 1_800_000_000.0
    for call in (client.enable_secret_version, client.disable_secret_version, client.destroy_secret_version):
        with pytest.raises(FailedPrecondition, match="DESTROYED"):
            call(request={"name": name})
    with pytest.raises(FailedPrecondition, match="DESTROYED"):
        access(client, name)
    assert client.get_secret_version(request={"name": name}).state is State.DESTROYED


@pytest.mark.parametrize("verb", ["enable_secret_version", "disable_secret_version", "destroy_secret_version"])
def test_a_change_of_state_is_fenced_by_the_etag_of_the_version(client: Client, add: Add, verb: str) -> None:
    name = add(b"one")
    stale = client.get_secret_version(request={"name": name}).etag
    # enabling an enabled version changes nothing but the etag
    fresh = client.enable_secret_version(request={"name": name}).etag
    assert fresh != stale
    with pytest.raises(FailedPrecondition, match="etag"):
        getattr(client, verb)(request={"name": name, "etag": stale})
    assert client.get_secret_version(request={"name": name}).state is State.ENABLED
    getattr(client, verb)(request={"name": name, "etag": fresh})


@pytest.mark.parametrize("label", ["latest", "current"])
def test_a_change_of_state_takes_a_number_only(client: Client, secret: str, add: Add, alias: Alias, label: str) -> None:
    add(b"one")
    alias(current=1)
    with pytest.raises(InvalidArgument, match="number"):
        client.disable_secret_version(request={"name": f"{secret}/versions/{label}"})


def test_a_delayed_destruction_disables_and_schedules_and_ends_when_it_is_due(
    client: Client, secret: str, add: Add, clock: StandingClock
) -> None:
    name = add(b"one")
    delay_destruction(client, secret, TTL_S)
    scheduled = client.destroy_secret_version(request={"name": name})
    assert scheduled.state is State.DISABLED
    assert scheduled.scheduled_destroy_time.timestamp() == clock.now + TTL_S
    clock.advance(TTL_S - 1)
    assert client.get_secret_version(request={"name": name}).state is State.DISABLED
    clock.advance(1)
    gone = client.get_secret_version(request={"name": name})
    assert gone.state is State.DESTROYED
    assert gone.destroy_time.timestamp() == clock.now


@pytest.mark.parametrize("verb", ["enable_secret_version", "disable_secret_version"])
def test_a_scheduled_destruction_is_cancelled_by_enabling_or_disabling(
    client: Client, secret: str, add: Add, clock: StandingClock, verb: str
) -> None:
    name = add(b"one")
    delay_destruction(client, secret, TTL_S)
    client.destroy_secret_version(request={"name": name})
    assert "scheduled_destroy_time" not in getattr(client, verb)(request={"name": name})
    clock.advance(TTL_S)
    client.enable_secret_version(request={"name": name})
    assert access(client, name).payload.data == b"one"


def test_destroying_a_scheduled_version_again_keeps_the_first_date_until_the_delay_is_taken_off(
    client: Client, secret: str, add: Add, clock: StandingClock
) -> None:
    name = add(b"one")
    delay_destruction(client, secret, TTL_S)
    first = client.destroy_secret_version(request={"name": name}).scheduled_destroy_time
    clock.advance(60)
    assert client.destroy_secret_version(request={"name": name}).scheduled_destroy_time == first
    delay_destruction(client, secret, 0)
    assert client.destroy_secret_version(request={"name": name}).state is State.DESTROYED


def test_changes_are_noticed_to_the_topics_of_the_secret_under_their_documented_names(
    client: Client, secret: str, add: Add, server: GoogleServer
) -> None:
    name = add(b"one")
    client.disable_secret_version(request={"name": name})
    delay_destruction(client, secret, TTL_S)
    client.destroy_secret_version(request={"name": name})
    assert [(notice.event, notice.resource) for notice in server.notices] == [
        ("SECRET_CREATE", secret),
        ("SECRET_VERSION_ADD", name),
        ("SECRET_VERSION_DISABLE", name),
        ("SECRET_UPDATE", secret),
        ("SECRET_VERSION_DESTROY_SCHEDULED", name),
    ]
    assert {notice.topic for notice in server.notices} == {"projects/keyturn-local/topics/secrets"}
