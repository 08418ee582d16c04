"""What OpenBao's audit device records of a secret becomes the published event, and nothing else of it does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rotation.incidents.incident import Ours
from rotation.incidents.reading import read
from sandbox.audit import event

OURS = Ours(account="000000000000", functions=frozenset({"keyturn-local-vault"}))
# What a record holds beside what is sent, hashed by the device or not.
MARKER = "hmac-sha256:4e58c30dc01bfde9cc94d591ab72813bad707613b69ee6b78544568cffe846e1"


def record(operation: str = "read", name: str = "partners/api-token", **changes: Any) -> dict[str, Any]:
    """As OpenBao 2.7 writes it."""
    answer = {"data": {"token": MARKER}, "metadata": {"version": 3}} if operation == "read" else {"version": 4}
    return {
        "time": "2026-01-01T00:00:00.101713707Z",
        "type": "response",
        "auth": {"client_token": MARKER, "accessor": MARKER, "display_name": "userpass-alice", "policies": ["all"]},
        "request": {
            "id": "cc33cb82-392e-952c-9e5c-2796bdcf0cd1",
            "operation": operation,
            "mount_point": "keyturn/",
            "mount_type": "kv",
            "client_token": MARKER,
            "path": f"keyturn/data/{name}",
            "data": {"data": {"token": MARKER}},
        },
        "response": {"mount_type": "kv", "data": answer},
        **changes,
    }


def delivered(detail: dict[str, Any]) -> Any:
    """The incident that control makes of it."""
    envelope = {"account": OURS.account, "source": "keyturn.triggers", "detail-type": "Keyturn Trigger"}
    return read({**envelope, "detail": detail}, OURS, "2026-01-01T12:00:00.000000Z")


def test_a_read_is_reported_with_who_when_and_where_and_no_value_not_even_its_hash() -> None:
    made = event(record())
    assert made is not None
    assert MARKER not in json.dumps(made)
    found = delivered(made)
    assert (found.kind, found.actor, found.harmless) == ("human-read", "userpass-alice", "")
    assert found.at == "2026-01-01T00:00:00.101713Z"
    assert [(place.store, place.path) for place in found.places] == [("vault", "keyturn/partners/api-token")]


def test_a_read_of_the_candidate_is_a_read_of_the_secret() -> None:
    assert event(record(name="pending/partners/api-token")) == event(record())


@pytest.mark.parametrize("operation", ["create", "update", "patch"])
def test_a_write_is_reported_as_a_change_and_one_of_a_candidate_is_not(operation: str) -> None:
    made = event(record(operation))
    assert made is not None
    assert MARKER not in json.dumps(made)
    assert (delivered(made).kind, delivered(made).version) == ("outside-change", "4")
    assert event(record(operation, name="pending/partners/api-token")) is None


def test_our_own_logins_reads_are_sent_and_told_from_a_persons_by_control() -> None:
    made = event(record(auth={"display_name": "jwt-keyturn-local-vault"}))
    assert made is not None
    assert delivered(made).harmless == "own_read"


def test_a_login_that_is_called_strangely_is_still_reported_and_cannot_pass_for_ours() -> None:
    made = event(record(auth={"display_name": "oidc-Alice Ångström\n"}))
    assert made is not None
    assert delivered(made).actor == "oidc-Alice__ngstr_m_"


@pytest.mark.parametrize(
    "nothing",
    [
        record(type="request"),
        record(error="permission denied"),
        record(response={"mount_type": "kv"}),
        record("list"),
        record(request={**record()["request"], "mount_type": "system"}),
        record(request={**record()["request"], "path": "keyturn/metadata/partners/api-token"}),
        record(request={"id": "1"}),
    ],
    ids=["a question", "refused", "found nothing", "a list", "another engine", "metadata", "nothing said"],
)
def test_what_showed_nobody_anything_is_not_reported(nothing: dict[str, Any]) -> None:
    assert event(nothing) is None
