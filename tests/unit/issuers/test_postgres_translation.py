"""What PostgreSQL's errors become is told by sqlstate and class, never by a text."""

from __future__ import annotations

import ssl

import pytest
import scramp
from pg8000.exceptions import DatabaseError, InterfaceError

from rotation.errors import Denied, Fenced, KeyturnError, Refused, Throttled, Unavailable
from rotation.issuers.postgres_wire import sqlstate, translate

TEXT = "password authentication failed for Marker7f3a"


@pytest.mark.parametrize(
    ("code", "error", "reason"),
    [
        ("28P01", Denied, "target_denied"),
        ("28000", Denied, "target_denied"),
        ("42501", Denied, "target_denied"),
        ("53300", Throttled, "target_busy"),
        ("40P01", Throttled, "target_busy"),
        ("57014", Throttled, "target_busy"),
        ("57P03", Unavailable, "target_unreachable"),
        ("57P01", Unavailable, "target_unreachable"),
        ("08006", Unavailable, "target_unreachable"),
        ("3D000", Refused, "target_refused"),
        ("42601", Refused, "target_refused"),
    ],
)
def test_each_sqlstate_has_its_class(code: str, error: type[KeyturnError], reason: str) -> None:
    found = translate(DatabaseError({"C": code, "M": TEXT}))
    assert type(found) is error
    assert found.reason == reason
    assert code in found.message
    assert "Marker7f3a" not in repr(found) + found.remedy


def test_an_error_without_a_code_is_refused_whatever_its_text_says() -> None:
    for exc in (DatabaseError(TEXT), DatabaseError(), DatabaseError({"M": TEXT})):
        assert sqlstate(exc) == ""
        assert isinstance(translate(exc), Refused)


def test_a_server_that_cannot_prove_itself_is_not_asked_again() -> None:
    for exc in (ssl.SSLCertVerificationError("verify failed"), scramp.ScramException("server signature")):
        found = translate(exc)
        assert isinstance(found, Refused)
        assert found.reason == "target_untrusted"


def test_silence_is_unavailable_and_our_own_errors_and_defects_pass_as_they_are() -> None:
    for exc in (InterfaceError("network error"), TimeoutError(), ConnectionRefusedError()):
        assert isinstance(translate(exc), Unavailable)
    assert translate(Fenced("stale_generation", "")) is None
    assert translate(KeyError("defect")) is None
