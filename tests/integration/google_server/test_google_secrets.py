"""Creating, reading, listing, updating and deleting secrets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.api_core.exceptions import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    MethodNotImplemented,
    NotFound,
)
from google.cloud.secretmanager_v1 import Secret
from google.cloud.secretmanager_v1 import SecretManagerServiceClient as Client

Add = Callable[[bytes], str]

PARENT = "projects/keyturn-local"
AUTOMATIC = {"replication": {"automatic": {}}}


def update(client: Client, name: str, paths: list[str], etag: str = "", **fields: Any) -> Secret:
    return client.update_secret(
        request={"secret": {"name": name, "etag": etag, **fields}, "update_mask": {"paths": paths}}
    )


def test_a_created_secret_reads_back_with_its_fields_and_a_quoted_etag(client: Client, secret: str) -> None:
    found = client.get_secret(request={"name": secret})
    assert found.name == f"{PARENT}/secrets/signing-key"
    assert dict(found.labels) == {"team": "analytics"}
    assert "automatic" in found.replication
    assert found.create_time.timestamp() == 1_800_000_000.0
    assert found.etag.startswith('"')
    assert found.etag.endswith('"')


def test_a_secret_id_is_unique_within_its_project_only(client: Client, secret: str) -> None:
    request = {"secret_id": "signing-key", "secret": AUTOMATIC}
    with pytest.raises(AlreadyExists):
        client.create_secret(request={"parent": PARENT, **request})
    assert client.create_secret(request={"parent": "projects/other", **request}).name.startswith("projects/other/")


@pytest.mark.parametrize("secret_id", ["", "with/slash", "with space", "x" * 256])
def test_a_secret_id_out_of_the_rules_is_refused(client: Client, secret_id: str) -> None:
    with pytest.raises(InvalidArgument):
        client.create_secret(request={"parent": PARENT, "secret_id": secret_id, "secret": AUTOMATIC})


def test_a_secret_without_replication_is_refused(client: Client) -> None:
    with pytest.raises(InvalidArgument, match="replication"):
        client.create_secret(request={"parent": PARENT, "secret_id": "bare", "secret": {}})


@pytest.mark.parametrize(
    "fields",
    [
        {"labels": {"Upper": "x"}},
        {"labels": {"1digit": "x"}},
        {"labels": {"key": "UPPER"}},
        {"labels": {f"k{n}": "" for n in range(65)}},
        {"annotations": {"-edge": "x"}},
        {"annotations": {"k" * 64: "x"}},
        {"topics": [{"name": f"projects/p/topics/{n}"} for n in range(11)]},
        {"topics": [{"name": "not-a-topic"}]},
        {"version_aliases": {"current": 1}},
        {"version_destroy_ttl": {"seconds": 86_399}},
        {"version_destroy_ttl": {"seconds": 86_400_001}},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_field_out_of_its_rules_is_refused_at_creation(client: Client, fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        client.create_secret(request={"parent": PARENT, "secret_id": "odd", "secret": AUTOMATIC | fields})
    with pytest.raises(NotFound):
        client.get_secret(request={"name": f"{PARENT}/secrets/odd"})


def test_a_topic_limit_of_ten_is_reachable(client: Client) -> None:
    topics = [{"name": f"projects/p/topics/{n}"} for n in range(10)]
    made = client.create_secret(
        request={"parent": PARENT, "secret_id": "loud", "secret": AUTOMATIC | {"topics": topics}}
    )
    assert len(made.topics) == 10


@pytest.mark.parametrize(
    ("rotation", "topics"),
    [
        ({"next_rotation_time": {"seconds": 1_800_000_299}}, True),
        ({"rotation_period": {"seconds": 3600}}, True),
        ({"next_rotation_time": {"seconds": 1_800_000_300}, "rotation_period": {"seconds": 3599}}, True),
        ({"next_rotation_time": {"seconds": 1_800_000_300}}, False),
    ],
    ids=["too soon", "period alone", "period too short", "no topic"],
)
def test_a_rotation_out_of_its_rules_is_refused(client: Client, rotation: dict[str, Any], topics: bool) -> None:
    fields = AUTOMATIC | {"rotation": rotation}
    if topics:
        fields |= {"topics": [{"name": "projects/p/topics/t"}]}
    with pytest.raises(InvalidArgument):
        client.create_secret(request={"parent": PARENT, "secret_id": "rotating", "secret": fields})


def test_a_rotation_at_its_floors_is_kept(client: Client, secret: str) -> None:
    rotation = {"next_rotation_time": {"seconds": 1_800_000_300}, "rotation_period": {"seconds": 3600}}
    assert update(client, secret, ["rotation"], rotation=rotation).rotation.rotation_period.total_seconds() == 3600


def test_only_the_fields_of_the_mask_change_and_maps_are_replaced_whole(client: Client, secret: str) -> None:
    update(client, secret, ["annotations"], annotations={"a": "1", "b": "2"})
    changed = update(client, secret, ["annotations"], annotations={"b": "3"}, labels={"team": "nobody"})
    assert dict(changed.annotations) == {"b": "3"}
    assert dict(changed.labels) == {"team": "analytics"}


@pytest.mark.parametrize("paths", [[], ["name"], ["replication"], ["etag"], ["*"]], ids=str)
def test_a_mask_without_a_mutable_field_is_refused(client: Client, secret: str, paths: list[str]) -> None:
    with pytest.raises(InvalidArgument):
        update(client, secret, paths, labels={"team": "other"})
    assert dict(client.get_secret(request={"name": secret}).labels) == {"team": "analytics"}


def test_annotations_must_stay_below_sixteen_kibibytes(client: Client, secret: str) -> None:
    fits = {"k": "x" * (16 * 1024 - 2)}
    assert dict(update(client, secret, ["annotations"], annotations=fits).annotations) == fits
    with pytest.raises(InvalidArgument, match="16384"):
        update(client, secret, ["annotations"], annotations={"k": "x" * (16 * 1024 - 1)})


def test_an_update_with_a_stale_etag_is_refused_and_changes_nothing(client: Client, secret: str) -> None:
    stale = client.get_secret(request={"name": secret}).etag
    update(client, secret, ["labels"], labels={"team": "first"})
    with pytest.raises(FailedPrecondition, match="etag"):
        update(client, secret, ["labels"], etag=stale, labels={"team": "second"})
    assert dict(client.get_secret(request={"name": secret}).labels) == {"team": "first"}


def test_an_update_with_the_current_etag_succeeds_and_one_without_is_not_checked(client: Client, secret: str) -> None:
    fresh = client.get_secret(request={"name": secret}).etag
    changed = update(client, secret, ["labels"], etag=fresh, labels={"team": "first"})
    assert changed.etag != fresh
    assert dict(update(client, secret, ["labels"], labels={"team": "last"}).labels) == {"team": "last"}


def test_an_update_that_changes_nothing_still_changes_the_etag(client: Client, secret: str) -> None:
    before = client.get_secret(request={"name": secret}).etag
    assert update(client, secret, ["labels"], labels={"team": "analytics"}).etag != before


def test_a_delete_is_fenced_by_its_etag_and_takes_the_versions_along(client: Client, secret: str, add: Add) -> None:
    version = add(b"one")
    with pytest.raises(FailedPrecondition):
        client.delete_secret(request={"name": secret, "etag": '"stale"'})
    client.delete_secret(request={"name": secret, "etag": client.get_secret(request={"name": secret}).etag})
    with pytest.raises(NotFound):
        client.access_secret_version(request={"name": version})
    with pytest.raises(NotFound):
        client.delete_secret(request={"name": secret})


def test_a_list_is_of_one_project_newest_first_and_paged(client: Client, secret: str) -> None:
    for secret_id in ("second", "third"):
        client.create_secret(request={"parent": PARENT, "secret_id": secret_id, "secret": AUTOMATIC})
    client.create_secret(request={"parent": "projects/other", "secret_id": "foreign", "secret": AUTOMATIC})
    found = [item.name.rsplit("/", 1)[1] for item in client.list_secrets(request={"parent": PARENT, "page_size": 2})]
    assert found == ["third", "second", "signing-key"]
    pages = list(client.list_secrets(request={"parent": PARENT, "page_size": 2}).pages)
    assert [(len(page.secrets), page.total_size) for page in pages] == [(2, 3), (1, 3)]


def test_what_the_sandbox_cannot_do_is_refused_and_not_ignored(client: Client, secret: str) -> None:
    with pytest.raises(MethodNotImplemented):
        client.list_secrets(request={"parent": PARENT, "filter": "labels.team=analytics"})
    with pytest.raises(MethodNotImplemented):
        client.create_secret(
            request={"parent": PARENT, "secret_id": "brief", "secret": AUTOMATIC | {"ttl": {"seconds": 60}}}
        )
    with pytest.raises(MethodNotImplemented):
        client.rotate_secret(request={"parent": secret})


def test_a_malformed_name_is_an_invalid_argument_and_not_a_missing_secret(client: Client) -> None:
    with pytest.raises(InvalidArgument, match="not in a valid format"):
        client.get_secret(request={"name": "signing-key"})
    with pytest.raises(InvalidArgument, match="not in a valid format"):
        client.access_secret_version(request={"name": f"{PARENT}/secrets/signing-key"})
