"""The verifier is the one that PostgreSQL would compute."""

from __future__ import annotations

import base64

import pytest
import scramp

from rotation.errors import Refused
from rotation.issuers import scram


def test_the_example_of_rfc_7677_has_the_keys_that_its_exchange_implies() -> None:
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    found = scram.verifier("pencil", salt=salt)
    _, stored, server, _ = scramp.ScramMechanism("SCRAM-SHA-256").make_auth_info("pencil", 4096, salt)
    keys = ":".join(base64.b64encode(key).decode() for key in (stored, server))
    assert found == f"SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==${keys}"
    # pinned, so that a change of both libraries is seen
    assert keys.startswith("WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:")


def test_two_verifiers_of_one_password_differ() -> None:
    assert scram.verifier("pencil") != scram.verifier("pencil")


@pytest.mark.parametrize("password", ["", "pässword", "tab\tbed", "nul\0"])
def test_a_password_that_would_need_preparation_is_refused_without_being_shown(password: str) -> None:
    with pytest.raises(Refused, match="password_alphabet") as caught:
        scram.verifier(password)
    assert not password or password not in repr(caught.value)
