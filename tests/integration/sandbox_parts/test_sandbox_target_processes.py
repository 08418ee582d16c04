"""A target as a process: it says where it is, stops on TERM, forgets nothing, and keeps its authority to itself."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.layout import CHECKOUT
from sandbox.processes import Running, Server, start, stop, tail, wait_ready
from sandbox.wire import ask, bearer

AUTHORITY = "marker-authority-of-the-target"
TOKEN = "marker-token-of-the-partner"


@pytest.fixture
def command(tmp_path: Path) -> Callable[[str], list[str]]:
    authority = tmp_path / "authority"
    authority.write_text(AUTHORITY)
    authority.chmod(0o600)

    def make(name: str) -> list[str]:
        return [
            *(sys.executable, "-m", f"sandbox.targets.{name}", "--port", "0"),
            *("--ready-file", str(tmp_path / "port")),
            *("--authority-file", str(authority), "--state", str(tmp_path / "state.json")),
        ]

    return make


@pytest.fixture
def run(command: Callable[[str], list[str]], tmp_path: Path) -> Iterator[Callable[[str], tuple[Running, int]]]:
    running = []

    def begin(name: str) -> tuple[Running, int]:
        (tmp_path / "port").unlink(missing_ok=True)
        server = Server(
            name=name,
            argv=command(name),
            environment={"PYTHONPATH": str(CHECKOUT), "PATH": "/usr/bin:/bin"},
            directory=tmp_path,
            log=tmp_path / f"{len(running)}.log",
            record=tmp_path / "record.json",
        )
        running.append(start(server))
        wait_ready(running[-1], lambda: "" if (tmp_path / "port").exists() else "no port yet")
        return running[-1], int((tmp_path / "port").read_text())

    yield begin
    for one in running:
        stop(one)


def test_tokens_and_fences_outlive_a_restart_but_no_token_is_on_disk_or_in_the_process_list(
    run: Callable[[str], tuple[Running, int]], tmp_path: Path
) -> None:
    sha256 = hashlib.sha256(TOKEN.encode()).hexdigest()
    first, port = run("token_service")
    ask(port, "PUT", "/accounts/acme/slots/a", {"sha256": sha256, "generation": 7}, bearer(AUTHORITY))
    arguments = Path(f"/proc/{first.process.pid}/cmdline").read_text()
    stop(first)
    second, port = run("token_service")
    assert ask(port, "GET", "/accounts/acme/whoami", headers=bearer(TOKEN)) == (200, {"slot": "a", "generation": 7})
    late = ask(port, "DELETE", "/accounts/acme/slots/a?generation=6", headers=bearer(AUTHORITY))
    assert late == (409, {"error": "stale_generation"})
    shown = arguments + tail(first.log) + tail(second.log) + (tmp_path / "state.json").read_text()
    assert "127.0.0.1" in shown
    assert TOKEN not in shown
    assert AUTHORITY not in shown


@pytest.mark.parametrize("name", ["token_service", "verifier", "jwks", "webhooks"])
def test_a_target_ends_well_on_term(command: Callable[[str], list[str]], name: str, tmp_path: Path) -> None:
    with subprocess.Popen(command(name), cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603 - our own program
        assert child.stdout.readline().startswith(f"{name} on 127.0.0.1:")
        child.terminate()
        assert child.wait(10) == 0


@pytest.mark.parametrize("content", [AUTHORITY, ""], ids=["open to others", "empty"])
def test_a_target_does_not_start_with_an_authority_that_others_can_read_or_guess(
    command: Callable[[str], list[str]], tmp_path: Path, content: str
) -> None:
    path = tmp_path / "authority"
    path.write_text(content)
    path.chmod(0o640 if content else 0o600)
    done = subprocess.run(command("verifier"), cwd=CHECKOUT, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603 - our own program
    assert done.returncode == 2
    assert done.stderr.startswith("authority file: ")
    assert AUTHORITY not in done.stderr
    assert not (tmp_path / "port").exists()
