"""The issuer contract on a real PostgreSQL, and what only PostgreSQL promises: roles, sessions, the sqlstate."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import certificates
import pytest
from issuer_bench import FIRST, RETIRE, SECOND, accepted
from issuer_suite import IssuerContract
from pg8000.exceptions import DatabaseError, InterfaceError
from postgres_bench import PLAIN, TRUSTED, PostgresBench, Server, running
from tls_front import tls_front

from rotation.contract import CredentialIssuer, Fence, Verdict
from rotation.errors import Denied, Fenced, Refused
from rotation.issuers.scram import verifier
from rotation.value import SecretValue

pytestmark = pytest.mark.postgres

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("postgres")) as started:
        yield started


def _pair(number: int) -> tuple[str, str]:
    """Two users of their own for a test; one needs quoting."""
    return f'app"{number}_a', f"app{number}_b"


class TestPostgresAlternating(IssuerContract):
    """Two users of their own per test, on one server."""

    @pytest.fixture
    def bench(self, server: Server) -> PostgresBench:
        return PostgresBench(server, _pair(next(_numbers)))

    def test_the_user_that_is_not_current_is_minted(self, bench: PostgresBench, issuer: CredentialIssuer) -> None:
        first = issuer.mint(None)
        second = issuer.mint(first.value)
        third = issuer.mint(second.value)
        assert [m.public["username"] for m in (first, second, third)] == [*bench.users, bench.users[0]]
        fields = second.value.unsafe_fields()
        assert (fields["dbname"], fields["engine"], fields["username"]) == ("payments", "postgres", bench.users[1])
        assert fields["password"].isalnum()
        assert len(fields["password"]) == 32

    def test_both_users_act_as_the_group_and_share_what_they_make(
        self, bench: PostgresBench, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        with closing(bench.server.connect(*_login(old))) as connection:
            connection.run("CREATE TABLE payments.shared (n int)")
            assert connection.run("SELECT current_user")[0][0] == "payments_app"
        with closing(bench.server.connect(*_login(new))) as connection:
            connection.run("DROP TABLE payments.shared")

    def test_a_grant_to_the_group_counts_for_both_users_at_once_and_in_later_rotations(
        self, bench: PostgresBench, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        table = f"granted_{next(_numbers)}"
        with _made_by_another(bench, table) as granting:
            granting.run(f"GRANT SELECT ON keyturn.{table} TO payments_app")
            for value in (old, new):
                assert _rows(bench, value, table) == []
            issuer.revoke(old, RETIRE)
            newest = issuer.mint(new).value
            issuer.apply(newest, SECOND)
            assert _rows(bench, newest, table) == []

    def test_what_is_granted_to_one_user_by_mistake_works_for_neither_and_is_reported(
        self, bench: PostgresBench, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        assert issuer.check({"username": bench.users[1]}, FIRST).code == ""
        table = f"granted_{next(_numbers)}"
        with _made_by_another(bench, table) as granting:
            granting.run(f"GRANT SELECT ON keyturn.{table} TO {_quoted(bench.users[1])}")
            for value in (old, new):
                with pytest.raises(DatabaseError, match="42501"):
                    _rows(bench, value, table)
            shown = issuer.check({"username": bench.users[1]}, FIRST)
        assert (shown.verdict, shown.code) == (Verdict.ACCEPTED, "own_rights")
        assert shown.detail.startswith(f"1 rights or objects are of the role {bench.users[1]} alone")

    def test_a_membership_that_does_not_let_a_user_act_as_the_group_is_mended_by_apply(
        self, bench: PostgresBench, issuer: CredentialIssuer, old: SecretValue
    ) -> None:
        user = bench.users[1]
        bench.ask(f"CREATE ROLE {_quoted(user)} NOLOGIN")
        bench.ask(f"GRANT payments_app TO {_quoted(user)} WITH SET FALSE, INHERIT FALSE")
        value = issuer.mint(old).value
        issuer.apply(value, FIRST)
        with closing(bench.server.connect(*_login(value))) as connection:
            assert connection.run("SELECT current_user") == [["payments_app"]]

    def test_revoke_ends_open_sessions_of_that_role_alone_and_counts_them(
        self, bench: PostgresBench, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        doomed = [bench.server.connect(*_login(old)) for _ in range(3)]
        with closing(bench.server.connect(*_login(new))) as kept:
            assert issuer.revoke(old, RETIRE) == 3
            for connection in doomed:
                # which of them depends on how much of the ending has arrived
                with pytest.raises((DatabaseError, InterfaceError, OSError)):
                    connection.run("SELECT 1")
                connection._usock.close()
            assert kept.run("SELECT 1") == [[1]]

    def test_the_authority_keeps_no_rights_of_the_role_whose_sessions_it_ended(
        self, bench: PostgresBench, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        issuer.revoke(old, RETIRE)
        rights = "SELECT pg_has_role(:role, 'USAGE') OR pg_has_role('payments_app', 'USAGE')"
        assert bench.ask(rights, role=bench.users[0]) == [[False]]

    def test_sessions_are_ended_without_the_right_to_end_those_of_everybody(
        self, bench: PostgresBench, issuer: CredentialIssuer, old: SecretValue
    ) -> None:
        number = next(_numbers)
        limited = PostgresBench(replace(bench.server, user=f"limited_{number}", password="limited"), _pair(number))
        for statement in (
            "CREATE ROLE {role} LOGIN CREATEROLE PASSWORD {verifier}",
            "GRANT payments_app TO {role} WITH ADMIN TRUE, INHERIT TRUE, SET FALSE",
            "GRANT USAGE ON SCHEMA keyturn TO {role}",
            "GRANT SELECT, INSERT, UPDATE ON keyturn.generation TO {role}",
        ):
            bench.ask(statement.format(role=limited.server.user, verifier=f"'{verifier('limited')}'"))
        assert limited.ask("SELECT pg_has_role('pg_signal_backend', 'MEMBER')") == [[False]]
        theirs = limited.make().issuer
        value = theirs.mint(None).value
        theirs.apply(value, FIRST)
        session = limited.server.connect(*_login(value))
        assert theirs.revoke(value, RETIRE) == 1
        session._usock.close()
        assert theirs.probe(value).verdict is Verdict.REFUSED

    def test_a_revoked_role_is_closed_even_to_its_right_password(
        self, bench: PostgresBench, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        issuer.revoke(old, RETIRE)
        role = bench.ask("SELECT rolcanlogin FROM pg_roles WHERE rolname = :role", role=bench.users[0])
        assert role == [[False]]

    def test_a_login_refused_for_another_reason_than_the_password_proves_nothing(
        self, bench: PostgresBench, issuer: CredentialIssuer, old: SecretValue
    ) -> None:
        bench.ask(f"ALTER ROLE {_quoted(bench.users[0])} NOLOGIN")
        shown = issuer.probe(old)
        assert (shown.verdict, shown.code) == (Verdict.UNPROVEN, "28000")

    def test_a_server_that_takes_any_password_proves_nothing(self, bench: PostgresBench) -> None:
        trusted = PostgresBench(bench.server, TRUSTED).make()
        value = trusted.issuer.mint(None).value
        trusted.issuer.apply(value, FIRST)
        shown = trusted.issuer.probe(value)
        assert (shown.verdict, shown.code) == (Verdict.UNPROVEN, "password_not_checked")
        trusted.issuer.revoke(value, RETIRE)
        assert trusted.issuer.probe(value).code == "28000"

    def test_a_server_that_checks_passwords_in_its_own_way_is_shown_a_wrong_one_too(self, bench: PostgresBench) -> None:
        plain = PostgresBench(bench.server, PLAIN).make()
        value = plain.issuer.mint(None).value
        assert plain.issuer.probe(value).verdict is Verdict.REFUSED
        plain.issuer.apply(value, FIRST)
        before = plain.meter.totals()["target"]
        assert accepted(plain.issuer.probe(value))
        assert plain.meter.totals()["target"] == before + 2

    def test_one_login_proves_a_password_by_scram_and_leaves_no_failed_one(
        self, bench: PostgresBench, old: SecretValue
    ) -> None:
        made = bench.make()
        failures = bench.log().count("password authentication failed")
        assert accepted(made.issuer.probe(old))
        assert made.meter.totals() == {"target": 1}
        assert bench.log().count("password authentication failed") == failures

    def test_a_server_is_believed_only_with_a_certificate_of_the_authority_named(
        self, bench: PostgresBench, tmp_path: Path
    ) -> None:
        files = certificates.make(tmp_path)
        with tls_front(bench.server.port, files) as port:
            known = bench.make(port=str(port), tls="on", ca_file=str(files.authority))
            value = known.issuer.mint(None).value
            known.issuer.apply(value, FIRST)
            assert accepted(known.issuer.probe(value))
            known.issuer.revoke(value, RETIRE)
            assert known.issuer.probe(value).code == "28P01"
            stranger = bench.make(port=str(port), tls="on")
            assert stranger.issuer.probe(value).code == "target_untrusted"
            with pytest.raises(Refused, match="target_untrusted"):
                stranger.issuer.revoke(value, RETIRE)
            assert stranger.meter.totals() == {"target": 1, "authority": 1}

    def test_a_server_without_tls_is_told_nothing_where_tls_is_on(self, bench: PostgresBench, old: SecretValue) -> None:
        logins = bench.log().count("connection")
        assert bench.make(tls="on").issuer.probe(old).code == "target_unreachable"
        assert bench.log().count("connection") == logins

    def test_an_expired_role_is_renewed_by_apply(
        self, bench: PostgresBench, issuer: CredentialIssuer, old: SecretValue
    ) -> None:
        bench.ask(f"ALTER ROLE {_quoted(bench.users[0])} VALID UNTIL '2001-01-01'")
        assert issuer.probe(old).verdict is Verdict.REFUSED
        issuer.restore(old, FIRST)
        assert accepted(issuer.probe(old))

    def test_the_generation_is_kept_beside_the_role(
        self, bench: PostgresBench, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        row = bench.ask("SELECT generation, run_id, effect FROM keyturn.generation WHERE role = :r", r=bench.users[1])
        assert row == [[1, "run-1", "applied"]]
        issuer.revoke(old, RETIRE)
        row = bench.ask("SELECT generation, run_id, effect FROM keyturn.generation WHERE role = :r", r=bench.users[0])
        assert row == [[2, "retire-1", "revoked"]]

    def test_a_late_revoke_cannot_kill_the_role_that_the_next_run_made_current(
        self, bench: PostgresBench, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        """Run 1 applied b, its retirement (epoch 2) should have revoked a, run 2 (epoch 3) made a current again."""
        next_value = issuer.mint(new).value
        issuer.apply(next_value, SECOND)
        with closing(bench.server.connect(*_login(next_value))) as session:
            with pytest.raises(Fenced):
                issuer.revoke(old, RETIRE)
            assert session.run("SELECT 1") == [[1]]
        assert accepted(issuer.probe(next_value))

    def test_two_runs_of_one_epoch_cannot_both_hold_a_role(
        self, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        with pytest.raises(Fenced):
            issuer.apply(new, Fence(run_id="impostor", epoch=1))

    def test_a_credential_that_names_another_host_is_neither_shown_nor_applied(
        self, bench: PostgresBench, issuer: CredentialIssuer, old: SecretValue
    ) -> None:
        elsewhere = SecretValue.of({**old.unsafe_fields(), "host": "db.attacker.example"})
        made = bench.make()
        assert made.issuer.probe(elsewhere).code == "target_mismatch"
        with pytest.raises(Refused, match="target_mismatch"):
            made.issuer.apply(elsewhere, FIRST)
        assert made.meter.totals() == {}

    def test_a_user_that_the_policy_does_not_name_is_never_touched(
        self, bench: PostgresBench, issuer: CredentialIssuer, old: SecretValue
    ) -> None:
        foreign = SecretValue.of({**old.unsafe_fields(), "username": bench.server.user})
        for call in (lambda: issuer.revoke(foreign, RETIRE), lambda: issuer.mint(foreign)):
            with pytest.raises(Refused, match="foreign_user"):
                call()
        assert bench.ask("SELECT 1") == [[1]]

    def test_a_wrong_authority_is_denied_and_not_asked_twice(self, bench: PostgresBench, old: SecretValue) -> None:
        stranger = replace(bench.server, password="wrong")
        made = PostgresBench(stranger, bench.users).make()
        with pytest.raises(Denied, match="target_denied"):
            made.issuer.apply(made.issuer.mint(old).value, FIRST)
        assert made.meter.totals() == {"authority": 1}

    def test_the_authority_is_read_once_and_only_when_needed(self, bench: PostgresBench, old: SecretValue) -> None:
        issuer: Any = bench.make().issuer
        read, reads = issuer._database.authority, []

        def counted() -> SecretValue:
            reads.append(1)
            value: SecretValue = read()
            return value

        issuer._database.authority = counted
        issuer.probe(old)
        assert reads == []
        fresh = issuer.mint(old).value
        issuer.apply(fresh, FIRST)
        issuer.withdraw(fresh, FIRST)
        assert reads == [1]


def _login(value: SecretValue) -> tuple[str, str]:
    fields = value.unsafe_fields()
    return fields["username"], fields["password"]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _rows(bench: PostgresBench, value: SecretValue, table: str) -> list[list[Any]]:
    """What a user reads of a table."""
    with closing(bench.server.connect(*_login(value))) as connection:
        rows: list[list[Any]] = connection.run(f"TABLE keyturn.{table}")
        return rows


@contextmanager
def _made_by_another(bench: PostgresBench, table: str) -> Iterator[Any]:
    """A table of the authority's in its own schema, which the group may enter meanwhile; the session may grant."""
    with closing(bench.server.connect()) as owner:
        owner.run("GRANT USAGE ON SCHEMA keyturn TO payments_app")
        owner.run(f"CREATE TABLE keyturn.{table} (n int)")
        yield owner
        owner.run(f"DROP TABLE keyturn.{table}")
        owner.run("REVOKE USAGE ON SCHEMA keyturn FROM payments_app")
