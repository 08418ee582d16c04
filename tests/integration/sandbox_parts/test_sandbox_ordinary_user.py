"""Root in a container and an ordinary user on a laptop get the same sandbox; one user's is closed to another."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.layout import CHECKOUT, Layout
from sandbox.lifecycle import up
from sandbox.parts import PARTS
from sandbox.parts.postgres_account import server_account

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.openbao,
    pytest.mark.postgres,
    pytest.mark.skipif(os.geteuid() != 0, reason="not root: every other test runs as an ordinary user already"),
]

PROGRAM = Path(__file__).with_name("ordinary_user.py")
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
LIVE_SECONDS = 120


def as_nobody(*argv: str, search: str) -> subprocess.CompletedProcess[str]:
    account = server_account()
    assert account is not None
    return subprocess.run(  # noqa: S603 - our own program
        argv,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": search, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=LIVE_SECONDS,
        check=False,
        user=account.uid,
        group=account.gid,
        extra_groups=[],
    )


def packages(environment: str) -> str:
    return str(CHECKOUT / environment / "lib" / VERSION / "site-packages")


@pytest.fixture(scope="module")
def interpreter() -> str:
    """An interpreter of our version that an unprivileged user can run: the environments' may be closed to them."""
    for candidate in (sys.executable, shutil.which(VERSION, path="/usr/bin:/usr/local/bin")):
        if candidate is None:
            continue
        try:
            if as_nobody(candidate, "-c", "import grpc, pg8000, sandbox", search=search()).returncode == 0:
                return candidate
        except PermissionError:
            continue
    pytest.skip(f"no {VERSION} that an unprivileged user can run, or the checkout is closed to others")


def search() -> str:
    return f"{CHECKOUT}:{packages('.venv')}"


@pytest.fixture
def cloud_python(layout: Layout, interpreter: str) -> Path:
    """The emulator's interpreter for that user: ours may be closed to them."""
    path = layout.root.parent / "python"
    path.write_text(f'#!/bin/sh\nPYTHONPATH={packages(".venv-cloud")} exec {interpreter} "$@"\n')
    path.chmod(0o755)
    return path


def test_an_ordinary_user_gets_the_whole_sandbox_and_it_leaves_nothing(
    layout: Layout, interpreter: str, cloud_python: Path
) -> None:
    account = server_account()
    own = layout.root.parent / "own"
    own.mkdir()
    os.chown(own, account.uid, account.gid)
    done = as_nobody(interpreter, str(PROGRAM), "live", str(own / "sandbox"), str(cloud_python), search=search())
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told["states"].values()) == {"running"}
    assert len(told["states"]) == len(told["stopped"]) == len(PARTS)
    assert told["owners"] == [told["uid"]] == [account.uid]
    assert told["refusal"] == "28P01"
    assert told["outside"] is False
    assert told["left"] is False
    assert list(own.iterdir()) == []


def test_another_user_can_neither_use_nor_stop_the_sandbox(layout: Layout, interpreter: str) -> None:
    up(layout)
    done = as_nobody(interpreter, str(PROGRAM), "intrude", str(layout.root), search=search())
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == dict.fromkeys(("up", "down", "status", "remove"), "sandbox_not_yours")
    assert up(layout).already_running
