"""The issuer contract and PostgreSQL's own promises on the model that the crash points are counted on.

Inherits what a real server is held to; what the model leaves out is named as a gap. Crashes at COMMIT are shown again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import test_issuer_postgres
import test_issuer_postgres_single
from issuer_bench import FIRST, RETIRE, accepted
from pg8000.exceptions import InterfaceError
from postgres_bench import PostgresBench, SingleBench

from rotation.contract import CredentialIssuer
from rotation.errors import Unavailable
from rotation.value import SecretValue
from tests.model import postgres_service
from tests.model.postgres_service import AUTHORITY, AUTHORITY_PASSWORD, DATABASE, HOST, PORT, PostgresService
from tests.model.postgres_statements import Unknown

_numbers = itertools.count(1)


@dataclass
class ModelServer:
    """As `postgres_bench.Server` shows one."""

    service: PostgresService
    host: str = HOST
    port: int = PORT
    database: str = DATABASE
    user: str = AUTHORITY
    password: str = AUTHORITY_PASSWORD

    def connect(self, user: str = "", password: str = "") -> Any:
        """A session as the authority, or as somebody else."""
        return self.service.session(user or self.user, password=password or self.password)


class ModelBench(PostgresBench):
    """A pair of users on a server of the model."""

    def log(self) -> str:
        return "\n".join(self.server.service.log)  # type: ignore[attr-defined]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModelBench:
    service = PostgresService()
    service.connect(monkeypatch)
    return ModelBench(ModelServer(service), test_issuer_postgres._pair(next(_numbers)))  # type: ignore[arg-type]


class TestPostgresAlternatingOnTheModel(test_issuer_postgres.TestPostgresAlternating):
    """The model: one authority with every right, SCRAM alone, no TLS, no tables but its own."""

    gaps: ClassVar[Mapping[str, str]] = {
        "test_both_users_act_as_the_group_and_share_what_they_make": "the model has no tables of others",
        "test_the_authority_keeps_no_rights_of_the_role_whose_sessions_it_ended": "the model tells no rights",
        "test_sessions_are_ended_without_the_right_to_end_those_of_everybody": "the model has one authority",
        "test_a_server_that_takes_any_password_proves_nothing": "the model checks every password",
        "test_a_server_that_checks_passwords_in_its_own_way_is_shown_a_wrong_one_too": "the model knows SCRAM alone",
        "test_a_server_is_believed_only_with_a_certificate_of_the_authority_named": "the model has no TLS",
        "test_a_grant_to_the_group_counts_for_both_users_at_once_and_in_later_rotations": "no tables of others",
        "test_what_is_granted_to_one_user_by_mistake_works_for_neither_and_is_reported": "no tables of others",
        "test_a_membership_that_does_not_let_a_user_act_as_the_group_is_mended_by_apply": "membership is whole or none",
    }

    @pytest.fixture
    def bench(self, bench: ModelBench) -> ModelBench:
        return bench


class ModelSingleBench(SingleBench, ModelBench):
    """One user on a server of the model."""


class TestPostgresSingleOnTheModel(test_issuer_postgres_single.TestPostgresSingle):
    """The same model: its clock are the numbers of its sessions, so that nothing is uncertain about their age."""

    gaps: ClassVar[Mapping[str, str]] = {
        "test_a_session_that_began_while_the_change_was_not_certainly_committed_counts_as_one_of_the_old_password": (
            "COMMIT takes no time in the model"
        ),
        "test_the_user_keeps_its_own_rights_and_acts_as_itself": "the model tells no rights",
    }

    @pytest.fixture
    def bench(self, bench: ModelBench) -> ModelSingleBench:
        return ModelSingleBench(bench.server, bench.users)


def _breaking(*, after: bool, times: int) -> Callable[[str, Callable[[], Any]], Any]:
    """Something between client and server that breaks the connection at the next `times` COMMITs."""
    left = iter(range(times))

    def passing(name: str, exchange: Callable[[], Any]) -> Any:
        if name != "postgres.COMMIT" or next(left, None) is None:
            return exchange()
        if after:
            exchange()
        raise InterfaceError("network error")

    return passing


@pytest.fixture
def pair(bench: ModelBench) -> Iterator[tuple[CredentialIssuer, SecretValue, SecretValue]]:
    """An issuer, the current value and a minted one."""
    issuer = bench.make().issuer
    old = issuer.mint(None).value
    issuer.apply(old, FIRST)
    yield issuer, old, issuer.mint(old).value
    assert bench.server.service.sessions == [], "a connection is left open"  # type: ignore[attr-defined]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_effect_whose_answer_was_lost_is_repeated_and_happens_once(
    bench: ModelBench, pair: tuple[CredentialIssuer, SecretValue, SecretValue], after: bool
) -> None:
    issuer, old, new = pair
    for effect, value in ((issuer.apply, new), (issuer.revoke, old)):
        bench.server.service.passing = _breaking(after=after, times=1)  # type: ignore[attr-defined]
        effect(value, RETIRE)
    assert accepted(issuer.probe(new))
    assert issuer.probe(old).code == "28P01"


def test_a_crash_before_commit_leaves_role_and_generation_as_they_were(
    bench: ModelBench, pair: tuple[CredentialIssuer, SecretValue, SecretValue]
) -> None:
    issuer, old, new = pair
    bench.server.service.passing = _breaking(after=False, times=3)  # type: ignore[attr-defined]
    with pytest.raises(Unavailable):
        issuer.apply(new, RETIRE)
    bench.server.service.passing = postgres_service.straight  # type: ignore[attr-defined]
    assert bench.ask("SELECT 1 FROM pg_roles WHERE rolname = :role", role=bench.users[1]) == []
    assert accepted(issuer.probe(old))


def test_a_statement_that_the_model_does_not_know_is_an_error(bench: ModelBench) -> None:
    with closing(bench.server.connect()) as session, pytest.raises(Unknown, match="DROP DATABASE payments"):
        session.run("DROP DATABASE payments")


def test_who_would_wait_for_the_lock_is_ended_by_the_statement_timeout(
    bench: ModelBench, pair: tuple[CredentialIssuer, SecretValue, SecretValue]
) -> None:
    issuer, old, _ = pair
    with closing(bench.server.connect()) as session:
        session.run("SELECT pg_advisory_xact_lock(:key)", key=1)
        with pytest.raises(Exception, match="target_busy"):
            issuer.apply(old, RETIRE)
    issuer.apply(old, RETIRE)
