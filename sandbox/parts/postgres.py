"""PostgreSQL: the application's database, whose users rotate.

Passwords only by SCRAM, TCP on loopback only, every statement logged (so that a leak would be found in the log),
no fsync, since the data does not outlive the server. `initdb` takes 0.6 s, hence no template of it is kept.
The superuser's password lives in a file only while `initdb` reads it.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

from pg8000.exceptions import DatabaseError, InterfaceError

from sandbox.errors import SandboxError
from sandbox.facts import Credentials, Facts
from sandbox.parts.contract import Request, Started, environment
from sandbox.parts.postgres_account import data_home, programs, server_account
from sandbox.parts.postgres_roles import AUTHORITY, DATABASE, SUPERUSER, connect, furnish
from sandbox.ports import LOOPBACK
from sandbox.processes import Account, Server, start, wait_ready

# 192 bits, as hexadecimal digits: ASCII for SCRAM
PASSWORD_BYTES = 24
# 0.6 s on an idle machine
INITDB_SECONDS = 60
SECRET_FILE = 0o600

ONLY_SCRAM_ON_LOOPBACK = f"host all all {LOOPBACK}/32 scram-sha-256\n"
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "log_statement": "all",
    "fsync": "off",
    # a handful of roles
    "shared_buffers": "16MB",
    # a service's 50 pooled connections of the old user and 50 of the new while they change places, and everybody else
    "max_connections": "140",
}


class Postgres:
    """The database server."""

    name: ClassVar[str] = "postgres"
    needs_port: ClassVar[bool] = True

    def start(self, request: Request) -> Started:
        """Make a new cluster, start it and furnish it."""
        layout, account = request.layout, server_account()
        home = data_home(layout, account)
        binaries = programs(home, account)
        superuser, authority = secrets.token_hex(PASSWORD_BYTES), secrets.token_hex(PASSWORD_BYTES)
        data = _initialise(binaries, home, account, superuser, request.port)
        running = start(
            Server(
                name=self.name,
                argv=[str(binaries / "postgres"), "-D", str(data)],
                environment=environment(str(home)),
                directory=Path("/"),
                log=layout.log(self.name),
                record=layout.process(self.name),
                account=account,
                # fast shutdown; TERM would wait for every client to leave
                stop_signal=signal.SIGINT,
            )
        )
        wait_ready(running, lambda: _problem(request.port, SUPERUSER, superuser, SUPERUSER))
        furnish(request.port, superuser, authority)
        return Started(
            facts={"postgres_host": LOOPBACK, "postgres_port": request.port, "postgres_database": DATABASE},
            credentials={"postgres_admin_user": AUTHORITY, "postgres_admin_password": authority},
        )

    def problem(self, facts: Facts, credentials: Credentials) -> str:
        """Log in as the authority."""
        user, password = credentials.postgres_admin_user, credentials.postgres_admin_password
        return _problem(facts.postgres_port, user, password, facts.postgres_database)

    def address(self, facts: Facts) -> str:
        """Host, port and database."""
        return f"{facts.postgres_host}:{facts.postgres_port}/{facts.postgres_database}"


def _initialise(binaries: Path, home: Path, account: Account | None, password: str, port: int) -> Path:
    """A new cluster in `home`; its data directory."""
    data, secret = home / "data", home / "superuser"
    switch: dict[str, Any] = account.switch if account else {}
    try:
        _write_secret(secret, password, account)
        done = subprocess.run(
            [str(binaries / "initdb"), f"--pgdata={data}", f"--pwfile={secret}", *_cluster_options(port)],
            cwd="/",
            env=environment(str(home)),
            capture_output=True,
            text=True,
            timeout=INITDB_SECONDS,
            check=False,
            **switch,
        )
    finally:
        secret.unlink(missing_ok=True)
    if done.returncode != 0:
        raise SandboxError("part_failed", f"postgres: initdb failed\n{done.stderr.strip()}")
    (data / "pg_hba.conf").write_text(ONLY_SCRAM_ON_LOOPBACK, encoding="ascii")
    return data


def _cluster_options(port: int) -> list[str]:
    return [
        f"--username={SUPERUSER}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
        "--no-instructions",
        *(f"--set={name}={value}" for name, value in {**SETTINGS, "port": str(port)}.items()),
    ]


def _write_secret(path: Path, content: str, account: Account | None) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET_FILE)
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(content)
    if account is not None:
        os.chown(path, account.uid, account.gid)


def _problem(port: int, user: str, password: str, database: str) -> str:
    try:
        with closing(connect(port, user, password, database)) as connection:
            connection.run("SELECT 1")
    except DatabaseError as exc:
        return f"refuses with {exc.args[0].get('C', 'no sqlstate')}"
    except (InterfaceError, OSError) as exc:
        return f"no answer ({type(exc).__name__})"
    return ""
