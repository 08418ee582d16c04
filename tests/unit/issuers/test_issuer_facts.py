"""A target that a policy describes wrongly is refused before anything is asked or changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from rotation.calls import Caller, Meter, NullBreaker
from rotation.errors import Refused
from rotation.issuers.registry import issuer_class
from rotation.value import SecretValue

POSTGRES = {"host": "db.internal", "port": "5432", "database": "payments", "users": "a b", "group": "app"}
TOKEN = {"url": "https://partner.example", "account": "acme"}
KEY = {"url": "https://verifier.example", "issuer": "analytics", "audience": "api"}


def _make(kind: str, facts: Mapping[str, str]) -> Any:
    def unread() -> SecretValue:
        raise AssertionError("the authority's credential is read only when it is needed")

    def unused(exc: Exception) -> None:
        raise AssertionError("nothing is called") from exc

    caller = Caller(kind, translate=unused, meter=Meter(), breaker=NullBreaker(), sleep=lambda _s: None)
    return issuer_class(kind)(facts, unread, caller)


@pytest.mark.parametrize(
    ("kind", "facts"), [("postgres-alternating", POSTGRES), ("bearer-token", TOKEN), ("signing-key", KEY)]
)
def test_a_missing_and_an_unknown_fact_are_named(kind: str, facts: dict[str, str]) -> None:
    _make(kind, facts)
    for name in facts:
        with pytest.raises(Refused, match=name) as caught:
            _make(kind, {**facts, name: ""})
        assert caught.value.reason == "bad_facts"
    with pytest.raises(Refused, match="hots"):
        _make(kind, {**facts, "hots": "typing error"})


@pytest.mark.parametrize(
    "wrong",
    [{"users": "a"}, {"users": "a a"}, {"users": "a b c"}, {"port": "default"}, {"tls": "off"}],
    ids=str,
)
def test_postgres_wants_two_users_a_port_and_tls_to_other_machines(wrong: dict[str, str]) -> None:
    with pytest.raises(Refused, match="bad_facts"):
        _make("postgres-alternating", {**POSTGRES, **wrong})


def test_a_partner_has_two_slots() -> None:
    with pytest.raises(Refused, match="bad_facts"):
        _make("bearer-token", {**TOKEN, "slots": "only"})


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_tls_may_be_off_on_this_machine(host: str) -> None:
    assert _make("postgres-alternating", {**POSTGRES, "host": host, "tls": "off"})
