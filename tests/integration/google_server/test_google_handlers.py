"""The resource handlers of pulumi-gcp against the server, with what the runtime moves in between."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud.secretmanager_v1 import Secret
from google.cloud.secretmanager_v1 import SecretManagerServiceClient as Client

from sandbox.google.server import GoogleServer
from sandbox.handlers.gcp import SecretHandler, SecretIamMemberHandler

PROJECT = "keyturn-local"
ID = f"projects/{PROJECT}/secrets/analytics-signing-key"
ACCESSOR = "roles/secretmanager.secretAccessor"
INPUTS = {
    "secretId": "analytics-signing-key",
    "replication": {"userManaged": {"replicas": [{"location": "europe-west3"}]}},
    "labels": {"team": "analytics"},
    "annotations": {"owner": "analytics"},
    "topics": [{"name": "projects/keyturn-local/topics/secrets"}],
    "rotation": {"nextRotationTime": "2027-02-01T00:00:00Z", "rotationPeriod": "86400s"},
    "versionDestroyTtl": "86400s",
}


@pytest.fixture
def handler(client: Client) -> SecretHandler:
    return SecretHandler(client, PROJECT)


@pytest.fixture
def members(client: Client) -> SecretIamMemberHandler:
    return SecretIamMemberHandler(client, PROJECT)


def rotate(client: Client) -> None:
    """What the runtime does to a shell: a version, an alias, a note of its own."""
    client.add_secret_version(request={"parent": ID, "payload": {"data": b"one"}})
    live = client.get_secret(request={"name": ID})
    client.update_secret(
        request={
            "secret": {
                "name": ID,
                "etag": live.etag,
                "version_aliases": {**live.version_aliases, "current": len(live.version_aliases) + 1},
                "annotations": {**live.annotations, "keyturn-run": "r1", "owner": "moved"},
            },
            "update_mask": {"paths": ["version_aliases", "annotations"]},
        }
    )


def updates(server: GoogleServer) -> int:
    return [call.method for call in server.calls].count("UpdateSecret")


def test_a_declared_secret_is_made_with_every_field(handler: SecretHandler, client: Client) -> None:
    id_, outputs = handler.create("signing", INPUTS)
    live = client.get_secret(request={"name": ID})
    assert (id_, outputs["name"], outputs["project"]) == (ID, ID, PROJECT)
    assert outputs["secretId"] == "analytics-signing-key"
    assert outputs["effectiveLabels"] == {"team": "analytics"}
    assert live.replication.user_managed.replicas[0].location == "europe-west3"
    assert dict(live.annotations) == {"owner": "analytics"}
    assert live.version_destroy_ttl.total_seconds() == 86_400
    assert live.rotation.rotation_period.total_seconds() == 86_400
    assert list(client.list_secret_versions(request={"parent": ID})) == []


def test_the_logical_name_and_automatic_replication_are_enough(handler: SecretHandler) -> None:
    id_, outputs = handler.create("bare", {"replication": {"auto": {}}, "project": "other"})
    assert id_ == "projects/other/secrets/bare"
    assert outputs["secretId"] == "bare"


def test_an_update_leaves_alone_what_the_runtime_moved(handler: SecretHandler, client: Client) -> None:
    _, outputs = handler.create("signing", INPUTS)
    rotate(client)
    after = handler.update(ID, outputs, INPUTS | {"labels": {"team": "platform"}})
    live = client.get_secret(request={"name": ID})
    assert dict(live.version_aliases) == {"current": 1}
    assert dict(live.annotations) == {"owner": "moved", "keyturn-run": "r1"}
    assert dict(live.labels) == {"team": "platform"}
    assert after["effectiveAnnotations"] == {"owner": "moved", "keyturn-run": "r1"}


def test_a_declared_alias_that_the_runtime_moved_is_not_moved_back(handler: SecretHandler, client: Client) -> None:
    _, outputs = handler.create("signing", INPUTS)
    client.add_secret_version(request={"parent": ID, "payload": {"data": b"zero"}})
    declared = INPUTS | {"versionAliases": {"current": 1.0}}
    outputs = handler.update(ID, outputs, declared)
    assert dict(client.get_secret(request={"name": ID}).version_aliases) == {"current": 1}
    rotate(client)
    handler.update(ID, outputs, declared | {"labels": {"team": "platform"}})
    assert dict(client.get_secret(request={"name": ID}).version_aliases) == {"current": 2}


def test_an_update_that_changes_nothing_writes_nothing(handler: SecretHandler, server: GoogleServer) -> None:
    _, outputs = handler.create("signing", INPUTS)
    handler.update(ID, outputs, INPUTS)
    assert updates(server) == 0


def test_keys_and_fields_that_the_program_drops_go_and_foreign_ones_stay(
    handler: SecretHandler, client: Client
) -> None:
    _, outputs = handler.create("signing", INPUTS)
    rotate(client)
    dropped = {key: INPUTS[key] for key in ("secretId", "replication", "topics")}
    handler.update(ID, outputs, dropped)
    live = client.get_secret(request={"name": ID})
    assert dict(live.labels) == {}
    assert dict(live.annotations) == {"keyturn-run": "r1"}
    assert "rotation" not in live
    assert not live.version_destroy_ttl


def test_an_existing_secret_is_adopted_and_keeps_what_the_runtime_moved(
    handler: SecretHandler, client: Client, server: GoogleServer
) -> None:
    handler.create("signing", INPUTS)
    rotate(client)
    again = INPUTS | {"labels": {"team": "platform"}, "versionAliases": {"current": "1", "canary": "1"}}
    id_, _ = handler.create("signing", again)
    live = client.get_secret(request={"name": ID})
    assert id_ == ID
    assert dict(live.labels) == {"team": "platform"}
    assert dict(live.annotations) == {"owner": "moved", "keyturn-run": "r1"}
    assert dict(live.version_aliases) == {"current": 1, "canary": 1}


def test_a_write_of_the_runtime_between_read_and_write_is_kept(
    handler: SecretHandler, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, outputs = handler.create("signing", INPUTS)
    read = client.get_secret
    reads = []

    def raced(request: dict[str, Any]) -> Secret:
        seen = read(request=request)
        reads.append(seen.etag)
        if len(reads) == 1:
            with monkeypatch.context() as undisturbed:
                undisturbed.setattr(client, "get_secret", read)
                rotate(client)
        return seen

    with monkeypatch.context() as racing:
        racing.setattr(client, "get_secret", raced)
        handler.update(ID, outputs, INPUTS | {"annotations": {"owner": "analytics", "tier": "1"}})
    assert len(set(reads)) == 2
    live = dict(client.get_secret(request={"name": ID}).annotations)
    assert live == {"owner": "moved", "keyturn-run": "r1", "tier": "1"}


def test_a_secret_reads_back_until_it_is_deleted_and_deleting_twice_is_fine(handler: SecretHandler) -> None:
    _, outputs = handler.create("signing", INPUTS)
    assert handler.read(ID, outputs) == outputs
    handler.delete(ID, outputs)
    assert handler.read(ID, outputs) is None
    handler.delete(ID, outputs)


def test_a_protected_secret_is_not_deleted(handler: SecretHandler) -> None:
    _, outputs = handler.create("signing", INPUTS | {"deletionProtection": True})
    with pytest.raises(ValueError, match="deletionProtection"):
        handler.delete(ID, outputs)
    assert handler.read(ID, outputs) is not None


def test_an_input_that_is_not_served_is_an_error_and_not_dropped(
    handler: SecretHandler, members: SecretIamMemberHandler
) -> None:
    with pytest.raises(ValueError, match="ttl"):
        handler.create("signing", INPUTS | {"ttl": "60s"})
    with pytest.raises(ValueError, match="condition"):
        members.create("m", {"secretId": ID, "role": ACCESSOR, "member": "user:a@example.com", "condition": {}})


@pytest.mark.parametrize("secret_id", [ID, "analytics-signing-key"], ids=["full", "short"])
def test_a_member_is_added_beside_others_and_removed_alone(
    handler: SecretHandler, members: SecretIamMemberHandler, client: Client, secret_id: str
) -> None:
    handler.create("signing", INPUTS)
    first = {"secretId": secret_id, "role": ACCESSOR, "member": "user:a@example.com"}
    second = first | {"member": "user:b@example.com"}
    id_, outputs = members.create("a", first)
    members.create("b", second)
    assert id_ == f"{ID}/{ACCESSOR}/user:a@example.com"
    assert outputs["etag"]
    (binding,) = client.get_iam_policy(request={"resource": ID}).bindings
    assert list(binding.members) == ["user:a@example.com", "user:b@example.com"]
    assert members.read(id_, first) is not None
    members.delete(id_, outputs)
    assert members.read(id_, first) is None
    assert members.read("", second) is not None
    members.delete(id_, outputs)


def test_a_member_that_is_there_already_is_adopted_without_a_write(
    handler: SecretHandler, members: SecretIamMemberHandler, server: GoogleServer
) -> None:
    handler.create("signing", INPUTS)
    wanted = {"secretId": ID, "role": ACCESSOR, "member": "user:a@example.com"}
    assert members.create("a", wanted) == members.create("a", wanted)
    assert [call.method for call in server.calls].count("SetIamPolicy") == 1


def test_a_member_of_a_secret_that_is_gone_is_gone_too(handler: SecretHandler, members: SecretIamMemberHandler) -> None:
    _, outputs = handler.create("signing", INPUTS)
    wanted = {"secretId": ID, "role": ACCESSOR, "member": "user:a@example.com"}
    id_, granted = members.create("a", wanted)
    handler.delete(ID, outputs)
    assert members.read(id_, wanted) is None
    members.delete(id_, granted)
