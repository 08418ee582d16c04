"""The token service: two slots, who may fill them, what late and repeated calls get, what its log may show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from target_servers import AUTHORITY, Answer, digest, serving

from sandbox.targets import token_service
from sandbox.wire import ask, bearer

OLD, NEW = "marker-old-token", "marker-new-token"


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[int]:
    with serving(token_service, tmp_path) as port:
        yield port


def put_token(port: int, slot: str, token: str, generation: int, authority: str = AUTHORITY) -> Answer:
    body = {"sha256": digest(token), "generation": generation}
    return ask(port, "PUT", f"/accounts/acme/slots/{slot}", body, bearer(authority))


def whoami(port: int, token: str) -> Answer:
    return ask(port, "GET", "/accounts/acme/whoami", headers=bearer(token))


def test_both_slots_are_accepted_until_one_is_removed(tokens: int) -> None:
    assert put_token(tokens, "a", OLD, 1) == (200, {"slot": "a", "generation": 1})
    assert put_token(tokens, "b", NEW, 2)[0] == 200
    assert whoami(tokens, OLD) == (200, {"slot": "a", "generation": 1})
    assert whoami(tokens, NEW) == (200, {"slot": "b", "generation": 2})
    answer = ask(tokens, "DELETE", "/accounts/acme/slots/a?generation=3", headers=bearer(AUTHORITY))
    assert answer == (200, {"slot": "a", "generation": 3, "removed": True})
    assert whoami(tokens, OLD) == (401, {"error": "unknown_token"})
    assert whoami(tokens, NEW)[0] == 200


def test_a_late_call_to_a_slot_is_refused_and_a_repeated_one_is_not(tokens: int) -> None:
    put_token(tokens, "a", NEW, 5)
    assert put_token(tokens, "a", NEW, 5)[0] == 200
    assert put_token(tokens, "a", OLD, 4) == (409, {"error": "stale_generation"})
    assert put_token(tokens, "a", OLD, 5) == (409, {"error": "generation_used"})
    late = ask(tokens, "DELETE", "/accounts/acme/slots/a?generation=4", headers=bearer(AUTHORITY))
    assert late == (409, {"error": "stale_generation"})
    assert whoami(tokens, NEW)[0] == 200


def test_a_third_slot_is_refused(tokens: int) -> None:
    put_token(tokens, "a", OLD, 1)
    put_token(tokens, "b", NEW, 1)
    assert put_token(tokens, "c", "x", 1) == (409, {"error": "too_many_slots"})


def test_the_authority_sees_what_a_slot_holds_by_a_part_of_its_hash_only(tokens: int) -> None:
    put_token(tokens, "a", OLD, 1)
    ask(tokens, "DELETE", "/accounts/acme/slots/b?generation=2", headers=bearer(AUTHORITY))
    status, slots = ask(tokens, "GET", "/accounts/acme/slots", headers=bearer(AUTHORITY))
    assert status == 200
    assert slots == {
        "a": {"fingerprint": digest(OLD)[:16], "generation": 1},
        "b": {"fingerprint": "", "generation": 2},
    }


def test_a_token_of_another_account_is_unknown(tokens: int) -> None:
    put_token(tokens, "a", OLD, 1)
    assert ask(tokens, "GET", "/accounts/globex/whoami", headers=bearer(OLD))[0] == 401
    assert ask(tokens, "GET", "/accounts/acme/whoami")[0] == 401
    assert whoami(tokens, "")[0] == 401
    assert whoami(tokens, digest(OLD))[0] == 401


@pytest.mark.parametrize("shown", ["", "wrong", AUTHORITY[:-1], AUTHORITY + "x", OLD, "märker"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/accounts/acme/slots/b"),
        ("DELETE", "/accounts/acme/slots/a?generation=9"),
        ("GET", "/accounts/acme/slots"),
    ],
)
def test_what_is_the_authoritys_is_refused_to_everybody_else(tokens: int, method: str, path: str, shown: str) -> None:
    put_token(tokens, "a", OLD, 1)
    body = {"sha256": digest("x"), "generation": 9} if method == "PUT" else None
    answer = ask(tokens, method, path, body, {"Authorization": f"Bearer {shown}".encode()})
    assert answer == (401, {"error": "not_authority"})
    assert whoami(tokens, OLD)[0] == 200


@pytest.mark.parametrize("sha256", [None, 5, "", "ab", "A" * 64, "g" * 64, ["a"]])
def test_a_malformed_hash_is_refused(tokens: int, sha256: object) -> None:
    body = {"sha256": sha256, "generation": 1}
    answer = ask(tokens, "PUT", "/accounts/acme/slots/a", body, bearer(AUTHORITY))
    assert answer == (400, {"error": "malformed_sha256"})


@pytest.mark.parametrize("generation", [None, -1, 1.5, True, "x", "1e3", [1], 2**60, "9" * 400])
def test_a_malformed_generation_is_refused(tokens: int, generation: int) -> None:
    body = {"sha256": digest("x"), "generation": generation}
    answer = ask(tokens, "PUT", "/accounts/acme/slots/a", body, bearer(AUTHORITY))
    assert answer == (400, {"error": "malformed_generation"})


@pytest.mark.parametrize("query", ["", "?generation=", "?generation=-1", "?generation=x", "?other=1"])
def test_a_removal_needs_its_generation(tokens: int, query: str) -> None:
    answer = ask(tokens, "DELETE", f"/accounts/acme/slots/a{query}", headers=bearer(AUTHORITY))
    assert answer == (400, {"error": "malformed_generation"})


def test_the_log_shows_neither_tokens_nor_what_a_client_wrote_into_the_path(
    tokens: int, capfd: pytest.CaptureFixture[str]
) -> None:
    put_token(tokens, "a", OLD, 1)
    whoami(tokens, OLD)
    whoami(tokens, "marker-wrong-token")
    ask(tokens, "GET", "/accounts/acme/whoami?token=marker-in-query", headers=bearer(OLD))
    ask(tokens, "GET", "/marker-in-path", headers=bearer(AUTHORITY))
    shown = "".join(capfd.readouterr())
    assert "GET /accounts/{account}/whoami 200" in shown
    assert "GET /accounts/{account}/whoami 401" in shown
    assert "marker" not in shown
    assert digest(OLD) not in shown
