"""Which failed connects of PostgreSQL's drivers speak of the credential."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from pg8000.exceptions import DatabaseError

from keyturn.client.pools.postgres import refused


def of_psycopg(*, used_password: bool) -> psycopg.OperationalError:
    """A failed connect, which has no sqlstate; libpq knows whether it was asked for a password."""
    connection: Any = SimpleNamespace(used_password=used_password)
    return psycopg.OperationalError("translated", pgconn=connection)


@pytest.mark.parametrize(
    ("exc", "speaks"),
    [
        (of_psycopg(used_password=True), True),
        (of_psycopg(used_password=False), False),
        (psycopg.errors.InvalidPassword(), True),
        (psycopg.errors.InvalidAuthorizationSpecification(), True),
        (psycopg.errors.UndefinedTable(), False),
        (DatabaseError({"C": "28P01"}), True),
        (DatabaseError({"C": "28000"}), True),
        (DatabaseError({"C": "53300"}), False),
        (DatabaseError("text"), False),
        (OSError(), False),
    ],
)
def test_a_refused_login_is_told_by_codes_and_never_by_text(exc: Exception, speaks: bool) -> None:
    assert refused(exc) is speaks
