"""The switches: injected failures, denied identities, throttling, and the journal of calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.api_core.exceptions import DeadlineExceeded, PermissionDenied, ResourceExhausted, ServiceUnavailable
from google.cloud.secretmanager_v1 import SecretManagerServiceClient as Client
from google.rpc.error_details_pb2 import RetryInfo

from sandbox.google.remote import calls, set_switches, timed_calls
from sandbox.google.server import GoogleServer
from sandbox.google.switches import When

Add = Callable[[bytes], str]


def count(client: Client, secret: str) -> int:
    return len(list(client.list_secret_versions(request={"parent": secret})))


def test_a_failure_before_the_effect_leaves_nothing_and_hits_one_call_only(
    client: Client, secret: str, add: Add, server: GoogleServer
) -> None:
    server.switches.fail_next("AddSecretVersion", grpc.StatusCode.UNAVAILABLE)
    with pytest.raises(ServiceUnavailable):
        add(b"one")
    assert count(client, secret) == 0
    assert add(b"one").endswith("/versions/1")


def test_a_failure_after_the_effect_loses_the_answer_so_that_a_retry_makes_a_second_version(
    client: Client, secret: str, add: Add, server: GoogleServer
) -> None:
    server.switches.fail_next("AddSecretVersion", grpc.StatusCode.UNAVAILABLE, when=When.AFTER)
    with pytest.raises(ServiceUnavailable):
        add(b"one")
    assert count(client, secret) == 1
    assert add(b"one").endswith("/versions/2")


def test_a_late_effect_happens_after_the_caller_gave_up(
    client: Client, secret: str, add: Add, server: GoogleServer
) -> None:
    server.switches.fail_next("AddSecretVersion", grpc.StatusCode.DEADLINE_EXCEEDED, when=When.LATE)
    with pytest.raises(DeadlineExceeded):
        add(b"orphan")
    assert add(b"retry").endswith("/versions/1")
    server.release_late()
    found = client.access_secret_version(request={"name": f"{secret}/versions/2"})
    assert found.payload.data == b"orphan"


def test_a_failure_names_its_method_and_spares_the_others(
    client: Client, secret: str, add: Add, server: GoogleServer
) -> None:
    server.switches.fail_next("GetSecret", grpc.StatusCode.UNAVAILABLE, count=2)
    add(b"one")
    for _ in range(2):
        with pytest.raises(ServiceUnavailable):
            client.get_secret(request={"name": secret})
    assert client.get_secret(request={"name": secret}).name == secret


def test_a_denied_identity_is_refused_with_the_permission_and_others_are_not(
    client: Client, secret: str, add: Add, server: GoogleServer
) -> None:
    name = add(b"one")
    server.switches.denied.add("reader")
    with pytest.raises(PermissionDenied, match=r"secretmanager\.versions\.access") as refused:
        client.access_secret_version(request={"name": name}, metadata=[("x-keyturn-identity", "reader")])
    assert refused.value.reason == "IAM_PERMISSION_DENIED"
    assert client.access_secret_version(request={"name": name}).payload.data == b"one"
    server.switches.denied = {"*"}
    with pytest.raises(PermissionDenied):
        client.get_secret(request={"name": secret})


def test_a_throttled_call_says_when_to_come_back(client: Client, secret: str, server: GoogleServer) -> None:
    server.switches.throttled_retry_s = 2.5
    with pytest.raises(ResourceExhausted, match="Quota exceeded") as refused:
        client.get_secret(request={"name": secret})
    (hint,) = [detail for detail in refused.value.details if isinstance(detail, RetryInfo)]
    assert hint.retry_delay.ToMilliseconds() == 2500
    assert refused.value.reason == "RATE_LIMIT_EXCEEDED"


def test_the_journal_names_method_resource_and_outcome_and_never_a_value(
    client: Client, secret: str, add: Add, server: GoogleServer
) -> None:
    name = add(b"marker-77aa")
    client.access_secret_version(request={"name": name})
    server.switches.fail_next("GetSecret", grpc.StatusCode.UNAVAILABLE)
    with pytest.raises(ServiceUnavailable):
        client.get_secret(request={"name": secret})
    assert [(call.method, call.code) for call in server.calls] == [
        ("CreateSecret", "OK"),
        ("AddSecretVersion", "OK"),
        ("AccessSecretVersion", "OK"),
        ("GetSecret", "UNAVAILABLE"),
    ]
    assert server.calls[2].resource == name
    assert "marker-77aa" not in repr(server.calls)


def test_the_same_switches_work_from_another_process(client: Client, secret: str, add: Add, endpoint: str) -> None:
    name = add(b"one")
    fault = {"method": "AccessSecretVersion", "code": "NOT_FOUND", "when": "before", "count": 1}
    assert set_switches(endpoint, stale=True, denied=["reader"], fail_next=fault)["faults"] == 1
    with pytest.raises(PermissionDenied):
        client.get_secret(request={"name": secret}, metadata=[("x-keyturn-identity", "reader")])
    add(b"two")
    assert count(client, secret) == 1
    present = set_switches(endpoint, stale=False, denied=[], throttled_retry_s=None)
    assert (present["stale"], present["denied"], present["faults"]) == (False, [], 1)
    assert count(client, secret) == 2
    seen = calls(endpoint, clear=True)
    assert {"method": "AddSecretVersion", "resource": secret, "code": "OK"} in seen
    assert calls(endpoint) == []
    assert name.endswith("/1")


@pytest.mark.parametrize("settings", [{"lagg": 1}, {"fail_next": {"code": "NO_SUCH"}}], ids=["name", "code"])
def test_an_unknown_switch_is_refused_and_nothing_is_set(endpoint: str, settings: dict[str, Any]) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        set_switches(endpoint, **settings)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert set_switches(endpoint)["faults"] == 0


def test_while_it_is_down_every_call_is_unavailable_and_leaves_no_trace(
    client: Client, secret: str, endpoint: str
) -> None:
    set_switches(endpoint, down_for=60)
    with pytest.raises(ServiceUnavailable):
        client.add_secret_version(request={"parent": secret, "payload": {"data": b"one"}})
    set_switches(endpoint, forget_faults=True)
    assert count(client, secret) == 0


def test_an_answer_is_held_after_its_effect_and_others_are_served_meanwhile(
    client: Client, secret: str, endpoint: str
) -> None:
    held = {"method": "AddSecretVersion", "code": "UNAVAILABLE", "when": "after", "held_s": 0.5}
    set_switches(endpoint, fail_next=held)
    request = {"parent": secret, "payload": {"data": b"one"}}
    with pytest.raises(DeadlineExceeded):
        client.add_secret_version(request=request, timeout=0.2)
    assert count(client, secret) == 1
    moments = [call["at"] for call in timed_calls(endpoint)]
    assert moments == sorted(moments)
