"""The server as a process of its own: ready file, SIGTERM, a taken port, nothing on disk, nothing of the runtime."""

from __future__ import annotations

import ast
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.api_core.exceptions import NotFound

import sandbox.google
from sandbox.google.remote import plaintext_client
from sandbox.google.server import GoogleServer

# A cold start of the interpreter and the client library, on a slow and busy machine.
START_S = 60
PACKAGE = Path(sandbox.google.__file__).parent


def launch(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sandbox.google", *arguments]
    environment = {"PYTHONPATH": str(PACKAGE.parent.parent)}
    return subprocess.Popen(  # noqa: S603  our own module
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_a_process_announces_its_port_serves_stops_on_sigterm_and_writes_nothing_else(tmp_path: Path) -> None:
    ready = tmp_path / "google.port"
    process = launch("--port", "0", "--ready-file", str(ready), cwd=tmp_path)
    try:
        port = int(first_line(process).rsplit(":", 1)[1])
        assert ready.read_text() == f"{port}\n"
        client = plaintext_client(f"127.0.0.1:{port}")
        made = client.create_secret(
            request={
                "parent": "projects/p",
                "secret_id": "kept-in-memory",
                "secret": {"replication": {"automatic": {}}},
            }
        )
        client.add_secret_version(request={"parent": made.name, "payload": {"data": b"marker-c0de"}})
        client.transport.close()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=START_S)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert [path.name for path in tmp_path.rglob("*")] == ["google.port"]
    assert "marker-c0de" not in out + err


def test_a_restart_forgets_everything(server: GoogleServer) -> None:
    name = "projects/p/secrets/s"
    client = plaintext_client(f"127.0.0.1:{server.start()}")
    client.create_secret(
        request={"parent": "projects/p", "secret_id": "s", "secret": {"replication": {"automatic": {}}}}
    )
    client.transport.close()
    server.stop()
    again = type(server)()
    client = plaintext_client(f"127.0.0.1:{again.start()}")
    try:
        with pytest.raises(NotFound):
            client.get_secret(request={"name": name})
    finally:
        client.transport.close()
        again.stop()


def test_a_taken_port_is_said_in_one_line_without_a_traceback(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = launch("--port", str(port), cwd=tmp_path)
        out, err = process.communicate(timeout=START_S)
    assert process.returncode == 1
    assert out == f"port {port} is taken\n"
    assert "Traceback" not in err


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_the_server_imports_nothing_of_the_runtime_that_it_tests() -> None:
    modules = {name for path in PACKAGE.glob("*.py") for name in imported(path)}
    assert "sandbox.google.state" in modules
    assert not {name for name in modules if name.split(".")[0] == "rotation"}
