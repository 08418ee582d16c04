"""The issuer contract on a real PostgreSQL, for one user whose password is changed in place, and what that needs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing

import pytest
from issuer_bench import FIRST, RETIRE, SECOND, accepted
from issuer_suite import IssuerContract
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection
from postgres_bench import Server, SingleBench, running

from rotation.contract import CredentialIssuer, Fence, Verdict
from rotation.errors import Fenced, Refused
from rotation.issuers import postgres_fence
from rotation.value import SecretValue

pytestmark = pytest.mark.postgres

_numbers = itertools.count(1)
NOTES = "SELECT verifier FROM keyturn.password WHERE role = :role"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("postgres")) as started:
        yield started


class TestPostgresSingle(IssuerContract):
    """One user of its own per test, on one server."""

    @pytest.fixture
    def bench(self, server: Server) -> SingleBench:
        return SingleBench(server, (f'one"{next(_numbers)}', ""))

    def test_the_password_before_is_put_back_as_it_was_staged_after_a_failed_test(
        self, bench: SingleBench, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        assert issuer.probe(old).verdict is Verdict.REFUSED
        issuer.restore(old, FIRST)
        issuer.withdraw(new, FIRST)
        assert accepted(issuer.probe(old))
        assert issuer.check(bench.public, FIRST).verdict is Verdict.REFUSED
        with pytest.raises(Fenced):
            issuer.apply(new, FIRST)
        assert accepted(issuer.probe(old))

    def test_an_apply_that_arrives_between_restore_and_withdraw_is_fenced(
        self, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        issuer.restore(old, FIRST)
        with pytest.raises(Fenced):
            issuer.apply(new, FIRST)
        assert accepted(issuer.probe(old))

    def test_withdrawing_a_first_password_closes_the_role(self, bench: SingleBench, issuer: CredentialIssuer) -> None:
        value = issuer.mint(None).value
        issuer.apply(value, FIRST)
        issuer.withdraw(value, FIRST)
        can = bench.ask("SELECT rolcanlogin FROM pg_roles WHERE rolname = :role", role=bench.users[0])
        assert can == [[False]]
        assert bench.ask(NOTES, role=bench.users[0]) == []

    def test_a_retirement_leaves_what_the_run_before_it_applied_for_its_health(
        self, bench: SingleBench, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        issuer.revoke(old, RETIRE)
        assert accepted(issuer.check(bench.public, FIRST))

    def test_revoke_ends_the_sessions_of_the_old_password_and_spares_those_of_the_new_one(
        self, bench: SingleBench, issuer: CredentialIssuer, old: SecretValue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # so that nobody has to wait ten seconds for a session that counts as begun after the change
        monkeypatch.setattr("rotation.issuers.postgres_password.IDLE_MS", 0)
        doomed = [bench.server.connect(*_login(old)) for _ in range(2)]
        new = issuer.mint(old).value
        issuer.apply(new, FIRST)
        with closing(bench.server.connect(*_login(new))) as kept:
            assert issuer.revoke(old, RETIRE) == 2
            assert kept.run("SELECT 1") == [[1]]
        for connection in doomed:
            _is_over(connection)

    def test_a_session_that_began_while_the_change_was_not_certainly_committed_counts_as_one_of_the_old_password(
        self, bench: SingleBench, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        assert postgres_fence.IDLE_MS == 10_000
        young = bench.server.connect(*_login(new))
        assert issuer.revoke(old, RETIRE) == 1
        _is_over(young)
        assert accepted(issuer.probe(new))

    def test_revoking_the_password_that_the_role_has_closes_it_and_ends_all_sessions(
        self, bench: SingleBench, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        doomed = bench.server.connect(*_login(new))
        assert issuer.revoke(new, RETIRE) == 1
        _is_over(doomed)
        assert issuer.probe(new).verdict is Verdict.REFUSED

    def test_a_late_revoke_cannot_close_the_role_for_the_next_run(
        self, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        newest = issuer.mint(new).value
        issuer.apply(newest, SECOND)
        with pytest.raises(Fenced):
            issuer.revoke(old, RETIRE)
        assert accepted(issuer.probe(newest))

    def test_a_role_that_nobody_made_is_refused_and_not_made(self, bench: SingleBench) -> None:
        made = bench.make(user="nobody_made_this")
        with pytest.raises(Refused, match="unknown_role"):
            made.issuer.apply(made.issuer.mint(None).value, FIRST)
        assert bench.ask("SELECT 1 FROM pg_roles WHERE rolname = :role", role="nobody_made_this") == []

    def test_a_password_that_could_not_be_put_back_is_refused_before_anything_is_changed(
        self, bench: SingleBench, old: SecretValue
    ) -> None:
        made = bench.make()
        for field, text, reason in (
            ("password", "pässword", "password_alphabet"),
            ("username", "another", "foreign_user"),
            ("host", "db.attacker.example", "target_mismatch"),
        ):
            with pytest.raises(Refused, match=reason):
                made.issuer.mint(SecretValue.of({**old.unsafe_fields(), field: text}))
        assert made.meter.totals() == {}

    def test_the_user_keeps_its_own_rights_and_acts_as_itself(
        self, bench: SingleBench, issuer: CredentialIssuer, old: SecretValue
    ) -> None:
        with closing(bench.server.connect(*_login(old))) as connection:
            assert connection.run("SELECT current_user") == [[bench.users[0]]]

    def test_what_is_kept_beside_the_fence_is_a_verifier_of_the_password_and_not_the_password(
        self, bench: SingleBench, issuer: CredentialIssuer, old: SecretValue
    ) -> None:
        kept = str(bench.ask(NOTES, role=bench.users[0])[0][0])
        assert kept.startswith("SCRAM-SHA-256$4096:")
        assert bench.secrets_of(old)[0] not in kept

    def test_two_runs_of_one_epoch_cannot_both_change_the_password(
        self, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        with pytest.raises(Fenced):
            issuer.apply(old, Fence(run_id="impostor", epoch=1))


def _login(value: SecretValue) -> tuple[str, str]:
    fields = value.unsafe_fields()
    return fields["username"], fields["password"]


def _is_over(connection: Connection) -> None:
    # which of them depends on how much of the ending has arrived
    with pytest.raises((DatabaseError, InterfaceError, OSError)):
        connection.run("SELECT 1")
    connection._usock.close()
