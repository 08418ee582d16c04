"""IAM policies of a secret: stored, fenced by their etag, never NOT_FOUND when only tested."""

from __future__ import annotations

import pytest
from google.api_core.exceptions import Aborted, NotFound
from google.cloud.secretmanager_v1 import SecretManagerServiceClient as Client
from google.iam.v1.policy_pb2 import Policy

ACCESSOR = "roles/secretmanager.secretAccessor"


def grant(client: Client, secret: str, member: str, etag: bytes = b"") -> Policy:
    policy = {"bindings": [{"role": ACCESSOR, "members": [member]}], "etag": etag}
    return client.set_iam_policy(request={"resource": secret, "policy": policy})


def test_a_secret_without_a_policy_has_an_empty_one(client: Client, secret: str) -> None:
    assert not client.get_iam_policy(request={"resource": secret}).bindings


def test_a_policy_is_stored_whole_and_reads_back(client: Client, secret: str) -> None:
    grant(client, secret, "user:first@example.com")
    grant(client, secret, "user:second@example.com")
    (binding,) = client.get_iam_policy(request={"resource": secret}).bindings
    assert (binding.role, list(binding.members)) == (ACCESSOR, ["user:second@example.com"])


def test_a_policy_with_a_stale_etag_is_aborted(client: Client, secret: str) -> None:
    stale = grant(client, secret, "user:first@example.com").etag
    grant(client, secret, "user:second@example.com", etag=stale)
    with pytest.raises(Aborted, match="concurrent policy changes"):
        grant(client, secret, "user:third@example.com", etag=stale)


def test_a_policy_of_no_secret_is_not_found_but_testing_one_grants_nothing(client: Client, secret: str) -> None:
    missing = f"{secret}-not"
    with pytest.raises(NotFound):
        client.get_iam_policy(request={"resource": missing})
    wanted = ["secretmanager.versions.access"]
    assert client.test_iam_permissions(request={"resource": missing, "permissions": wanted}).permissions == []
    assert client.test_iam_permissions(request={"resource": secret, "permissions": wanted}).permissions == wanted
