"""The webhook endpoints on the wire: raw bodies, a window of two keys, tolerance, and each event once."""

from __future__ import annotations

import base64
import http.client
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Reference
from target_servers import AUTHORITY, POLL_SECONDS, serving

from sandbox.targets import webhooks
from sandbox.targets.web import TargetServer
from sandbox.wire import ask, bearer

ENDPOINT = "/endpoints/orders"


def new_key() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


OLD, NEW, THIRD = new_key(), new_key(), new_key()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with serving(webhooks, tmp_path) as found:
        yield found


def put(port: int, name: str, key: object, generation: int, **more: object) -> tuple[int, dict[str, Any]]:
    body = {"key": key, "generation": generation, **more}
    return ask(port, "PUT", f"{ENDPOINT}/keys/{name}", body, bearer(AUTHORITY))


def remove(port: int, name: str, generation: int) -> tuple[int, dict[str, Any]]:
    return ask(port, "DELETE", f"{ENDPOINT}/keys/{name}?generation={generation}", headers=bearer(AUTHORITY))


def signed(identifier: str, body: str, *keys: str, at: float | None = None) -> dict[str, str]:
    """As the reference implementation signs it."""
    now = int(time.time() if at is None else at)
    stamps = datetime.fromtimestamp(now, tz=UTC)
    shown = " ".join(Reference(key).sign(identifier, stamps, body) for key in keys)
    return {"webhook-id": identifier, "webhook-timestamp": str(now), "webhook-signature": shown}


def deliver(port: int, headers: dict[str, str], body: str, path: str = ENDPOINT) -> tuple[int, dict[str, Any]]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("POST", f"{path}/deliver", body.encode(), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def test_both_keys_one_key_and_a_retired_key(port: int) -> None:
    put(port, "old", OLD, 1)
    put(port, "new", NEW, 2)
    assert deliver(port, signed("m1", "{}", OLD, NEW), "{}")[0] == 200
    assert deliver(port, signed("m2", "{}", OLD), "{}") == (200, {"id": "m2", "key": "old", "duplicate": False})
    assert deliver(port, signed("m3", "{}", NEW), "{}") == (200, {"id": "m3", "key": "new", "duplicate": False})
    remove(port, "old", 3)
    assert deliver(port, signed("m4", "{}", OLD), "{}") == (401, {"error": "no_matching_signature"})
    assert deliver(port, signed("m5", "{}", OLD, NEW), "{}")[0] == 200


def test_a_rotation_inside_the_window_of_another_is_refused_unless_it_is_forced(port: int) -> None:
    put(port, "old", OLD, 1)
    put(port, "new", NEW, 2)
    assert put(port, "third", THIRD, 3) == (409, {"error": "rotation_open"})
    assert deliver(port, signed("m1", "{}", OLD), "{}")[0] == 200
    assert put(port, "third", THIRD, 3, force="yes") == (409, {"error": "rotation_open"})
    assert put(port, "third", THIRD, 3, force=True)[0] == 200
    assert deliver(port, signed("m2", "{}", OLD), "{}")[0] == 401
    assert deliver(port, signed("m3", "{}", NEW), "{}")[0] == 200
    assert put(port, "new", NEW, 2) == (200, {"key": "new", "generation": 2}), "what is there may be put again"


def test_a_body_is_verified_byte_by_byte_whatever_it_is(port: int) -> None:
    put(port, "old", OLD, 1)
    for number, body in enumerate(("", "no json", '{"a": 1}', '["é"]', "\x00")):
        assert deliver(port, signed(f"m{number}", body, OLD), body)[0] == 200
    spaced = deliver(port, signed("m9", '{"a":1}', OLD), '{"a": 1}')
    assert spaced == (401, {"error": "no_matching_signature"})


def test_an_event_is_taken_once_and_a_repeated_one_is_answered_well(port: int) -> None:
    put(port, "old", OLD, 1)
    first = signed("m1", "{}", OLD)
    assert deliver(port, {**first, "webhook-signature": "v1,AAAA"}, "{}")[0] == 401
    assert [deliver(port, first, "{}")[1]["duplicate"] for _ in range(3)] == [False, True, True]
    # signed again, as a sender does for each attempt
    assert deliver(port, signed("m1", "{}", OLD, at=time.time() - 10), "{}")[1]["duplicate"] is True
    ask(port, "PUT", "/endpoints/other/keys/old", {"key": OLD, "generation": 1}, bearer(AUTHORITY))
    assert deliver(port, first, "{}", "/endpoints/other")[1]["duplicate"] is False


def test_of_many_copies_at_once_one_is_taken(port: int) -> None:
    put(port, "old", OLD, 1)
    event, taken = signed("m1", "{}", OLD), list[bool]()
    threads = [
        threading.Thread(target=lambda: taken.append(not deliver(port, event, "{}")[1]["duplicate"])) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 7 + [True]


@contextmanager
def with_clock(directory: Path, clock: list[float]) -> Iterator[int]:
    service = webhooks.Endpoints(directory / "state.json", lambda: clock[0])
    with TargetServer(0, webhooks.routes_of(service), AUTHORITY) as server:
        thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,))
        thread.start()
        yield server.port
        server.shutdown()
        thread.join()


def test_an_id_is_remembered_for_as_long_as_a_copy_could_be_in_tolerance_and_then_forgotten(tmp_path: Path) -> None:
    clock = [1_700_000_000.0]
    with with_clock(tmp_path, clock) as port:
        put(port, "old", OLD, 1)
        ahead = signed("m1", "{}", OLD, at=clock[0] + 300)
        assert deliver(port, ahead, "{}")[1]["duplicate"] is False
        clock[0] += 600
        assert deliver(port, ahead, "{}")[1]["duplicate"] is True
        clock[0] += 1
        assert deliver(port, ahead, "{}") == (401, {"error": "outside_tolerance"})
        assert deliver(port, signed("m1", "{}", OLD, at=clock[0]), "{}")[1]["duplicate"] is False


def test_a_test_event_is_signed_with_every_key_and_says_only_what_it_always_says(port: int) -> None:
    put(port, "old", OLD, 1)
    put(port, "new", NEW, 2)
    status, made = ask(port, "POST", f"{ENDPOINT}/test", {"challenge": "ab12"})
    assert status == 200
    assert json.loads(made["body"]) == {"type": "endpoint.test", "data": {"challenge": "ab12"}}
    for key in (OLD, NEW):
        Reference(key).verify(made["body"], made["headers"])
    for wrong in ("", "x" * 65, '","type":"order.paid', 1, None):
        assert ask(port, "POST", f"{ENDPOINT}/test", {"challenge": wrong}) == (400, {"error": "malformed_challenge"})


# numbered, because workers have to agree on names and some keys are random
_NO_KEYS = (None, 1, "", "whsec_", "whsec_AAAA", "whsec_%%%", OLD[6:], OLD + "A" * 100)


@pytest.mark.parametrize("key", _NO_KEYS, ids=map(str, range(len(_NO_KEYS))))
def test_what_is_no_key_is_not_put(port: int, key: object) -> None:
    assert put(port, "old", key, 1) == (400, {"error": "malformed_key"})


def test_late_calls_are_refused_and_only_the_authority_sees_the_list(port: int) -> None:
    put(port, "old", OLD, 5)
    assert put(port, "old", OLD, 4) == (409, {"error": "stale_generation"})
    assert remove(port, "old", 4) == (409, {"error": "stale_generation"})
    assert remove(port, "old", 5)[0] == 200
    assert put(port, "old", OLD, 5) == (409, {"error": "generation_used"})
    status, keys = ask(port, "GET", f"{ENDPOINT}/keys", headers=bearer(AUTHORITY))
    assert (status, keys) == (200, {"old": {"fingerprint": "", "generation": 5}})
    put(port, "new", NEW, 6)
    assert NEW not in json.dumps(ask(port, "GET", f"{ENDPOINT}/keys", headers=bearer(AUTHORITY)))
    assert ask(port, "GET", f"{ENDPOINT}/keys") == (401, {"error": "not_authority"})
