"""Showing a password to PostgreSQL as a consumer would, and telling what its answer proves.

ACCEPTED demands that the server checked the password, because with `trust` everything passes. Either a whole SCRAM
exchange took place, in which the server proved its side too: then one login is enough, and no failed one is left in
the server's log or counted against the user. Or, with another method, a random wrong password is shown on the same
path and must be refused. This matters most before promotion: a vacuous ACCEPTED would promote a password that no
consumer on a checked path can use. A retirement is not fooled by `trust` in any case: it wants the old one refused.
"""

from __future__ import annotations

import secrets
from contextlib import closing

from pg8000.exceptions import DatabaseError

from rotation.calls import Caller, Kind
from rotation.contract import Probe, Verdict
from rotation.issuers.postgres_wire import (
    REFUSED_LOGIN,
    REFUSED_PASSWORD,
    Address,
    open_session,
    sqlstate,
)

# As long as a real one; nobody has it.
WRONG_PASSWORD_BYTES = 24


def prove(caller: Caller, address: Address, user: str, password: str) -> Probe:
    """REFUSED for sqlstate 28P01 only; ACCEPTED as above; raises KeyturnError when there is no answer.

    28000 is UNPROVEN: NOLOGIN answers so after a right password, and so does a missing line of pg_hba.conf.
    """
    shown, proved = _show(caller, address, user, password)
    if shown.verdict is not Verdict.ACCEPTED or proved:
        return shown
    wrong, _ = _show(caller, address, user, secrets.token_hex(WRONG_PASSWORD_BYTES))
    if wrong.verdict is Verdict.REFUSED:
        return shown
    return Probe(
        verdict=Verdict.UNPROVEN, code="password_not_checked", detail="the server accepts a wrong password too"
    )


def _show(caller: Caller, address: Address, user: str, password: str) -> tuple[Probe, bool]:
    """One login and `SELECT 1`; and whether a SCRAM exchange proved both sides."""

    def attempt() -> tuple[Probe, bool]:
        try:
            with closing(open_session(address, user, password)) as session:
                session.run("SELECT 1")
                return Probe(verdict=Verdict.ACCEPTED), session.proved
        except DatabaseError as exc:
            answer = _answer(sqlstate(exc))
            if answer is None:
                raise
            return answer, False

    return caller.call(Kind.TARGET, attempt)


def _answer(code: str) -> Probe | None:
    if code == REFUSED_PASSWORD:
        return Probe(verdict=Verdict.REFUSED, code=code)
    if code == REFUSED_LOGIN:
        detail = "the login was refused, which says nothing about the password"
        return Probe(verdict=Verdict.UNPROVEN, code=code, detail=detail)
    return None
