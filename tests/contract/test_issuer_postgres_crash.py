"""PostgreSQL effects when an answer is lost, a function dies half way, or two runs meet at the lock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from issuer_bench import FIRST, RETIRE, SECOND, accepted
from pg8000.exceptions import DatabaseError, InterfaceError
from postgres_bench import PostgresBench, Server, running

from rotation.contract import Fence
from rotation.errors import Fenced, KeyturnError, Unavailable
from rotation.issuers import postgres_fence as fences
from rotation.issuers import postgres_roles as roles
from rotation.issuers import postgres_wire
from rotation.issuers.scram import verifier
from rotation.value import SecretValue

pytestmark = pytest.mark.postgres

# a thread that waits for a lock ends with its statement, long before
JOIN_SECONDS = 30
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("postgres")) as started:
        yield started


@pytest.fixture
def bench(server: Server, request: pytest.FixtureRequest) -> PostgresBench:
    name = f"crash{abs(hash(request.node.name)) % 10**8}"
    return PostgresBench(server, (f"{name}_a", f"{name}_b"))


@pytest.fixture
def old(bench: PostgresBench) -> SecretValue:
    issuer = bench.make().issuer
    value = issuer.mint(None).value
    issuer.apply(value, Fence(run_id="first-value", epoch=0))
    return value


class _Breaking(postgres_wire.Session):
    """A session whose connection breaks once, before or after COMMIT."""

    after = False
    left = 0

    def run(self, sql: str, *args: Any, **values: Any) -> Any:
        """Run, or break."""
        if sql != "COMMIT" or not type(self).left:
            return super().run(sql, *args, **values)
        type(self).left -= 1
        if self.after:
            super().run(sql)
        self._usock.close()
        raise InterfaceError("network error")


def _break(monkeypatch: pytest.MonkeyPatch, *, after: bool, times: int) -> None:
    monkeypatch.setattr(_Breaking, "after", after)
    monkeypatch.setattr(_Breaking, "left", times)
    monkeypatch.setattr(postgres_wire, "Session", _Breaking)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_effect_whose_answer_was_lost_is_repeated_and_happens_once(
    bench: PostgresBench, old: SecretValue, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    made = bench.make()
    new = made.issuer.mint(old).value
    _break(monkeypatch, after=after, times=1)
    made.issuer.apply(new, FIRST)
    assert made.meter.totals() == {"authority": 2}
    assert accepted(made.issuer.probe(new))
    _break(monkeypatch, after=after, times=1)
    made.issuer.revoke(old, RETIRE)
    assert made.issuer.probe(old).code == "28P01"
    assert accepted(made.issuer.probe(new))


def test_a_crash_before_commit_leaves_role_and_generation_as_they_were(
    bench: PostgresBench, old: SecretValue, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer = bench.make().issuer
    new = issuer.mint(old)
    _break(monkeypatch, after=False, times=3)
    with pytest.raises(Unavailable):
        issuer.apply(new.value, FIRST)
    assert bench.ask("SELECT count(*) FROM pg_roles WHERE rolname = :role", role=bench.users[1]) == [[0]]
    assert bench.ask("SELECT count(*) FROM keyturn.generation WHERE role = :role", role=bench.users[1]) == [[0]]
    assert not accepted(issuer.check(new.public, FIRST))
    assert accepted(issuer.probe(old))


def test_a_revoke_that_waits_while_the_next_run_applies_is_fenced_and_kills_nothing(
    bench: PostgresBench, old: SecretValue
) -> None:
    issuer = bench.make().issuer
    caught: list[KeyturnError] = []

    def late() -> None:
        try:
            issuer.revoke(old, RETIRE)
        except KeyturnError as exc:
            caught.append(exc)

    thread = threading.Thread(target=late)
    with closing(bench.server.connect()) as session:
        fences.enter(session, bench.users[0], SECOND)
        thread.start()
        while bench.ask(WAITING) == [[0]]:
            assert thread.is_alive(), "the revoke did not wait for the lock"
        roles.open_up(session, bench.users[0], "payments_app", verifier(old.unsafe_fields()["password"]))
        fences.stamp(session, bench.users[0], SECOND, fences.APPLIED)
        session.run("COMMIT")
    thread.join(JOIN_SECONDS)
    assert [type(exc) for exc in caught] == [Fenced]
    assert accepted(issuer.probe(old))


def test_a_run_that_applies_the_role_between_closing_it_and_ending_its_sessions_keeps_its_sessions(
    bench: PostgresBench, old: SecretValue, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer, enter, opened = bench.make().issuer, fences.enter, []

    def overtaken(session: Any, role: str, fence: Fence) -> Any:
        held = fences.look(session, role)
        if fence == RETIRE and held and held.effect == fences.REVOKED:
            issuer.restore(old, SECOND)
            opened.append(bench.server.connect(role, old.unsafe_fields()["password"]))
        return enter(session, role, fence)

    monkeypatch.setattr(fences, "enter", overtaken)
    with pytest.raises(Fenced):
        issuer.revoke(old, RETIRE)
    with closing(opened[0]) as session:
        assert session.run("SELECT 1") == [[1]]


def test_the_table_of_generations_is_made_where_it_is_missing(bench: PostgresBench, old: SecretValue) -> None:
    bench.ask("DROP TABLE keyturn.generation")
    issuer = bench.make().issuer
    assert issuer.check({"username": bench.users[0]}, FIRST).code == "not_held"
    issuer.restore(old, FIRST)
    assert accepted(issuer.check({"username": bench.users[0]}, FIRST))


def test_the_schema_is_made_only_where_it_is_missing_because_that_takes_a_further_right(
    bench: PostgresBench, old: SecretValue
) -> None:
    with closing(bench.server.connect()) as session:
        session.run("BEGIN")
        session.run("DROP SCHEMA keyturn CASCADE")
        with pytest.raises(DatabaseError) as caught:
            fences.enter(session, bench.users[0], FIRST)
        assert postgres_wire.sqlstate(caught.value) == "42501"
