"""The small programs that the real command finds on its PATH."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from sandbox.engine.plugins import write_plugins
from sandbox.facts import Credentials, Facts
from sandbox.layout import CHECKOUT, Layout


def sandbox_at(root: Path) -> Path:
    """A folder with the facts of a sandbox in which nothing runs."""
    root.mkdir()
    nowhere = "http://127.0.0.1:9"
    Facts(
        aws_endpoint=nowhere,
        vault_address=nowhere,
        google_endpoint="127.0.0.1:9",
        postgres_port=9,
        redis_port=9,
        token_service_url=nowhere,
        verifier_url=nowhere,
        jwks_url=nowhere,
        webhooks_url=nowhere,
    ).save(Layout(root).facts)
    Credentials(
        vault_root_token="t",
        vault_unseal_key="k",
        postgres_admin_user="u",
        postgres_admin_password="p",
        redis_admin_password="r",
        token_service_authority="a",
        verifier_authority="v",
        jwks_authority="j",
        webhooks_authority="w",
    ).save(Layout(root).credentials)
    return root


def test_each_package_has_a_program_for_its_owner_only(tmp_path: Path) -> None:
    written = write_plugins(tmp_path / "bin", Path(sys.executable), tmp_path)
    assert [path.name for path in written] == [f"pulumi-resource-{name}" for name in ("aws", "gcp", "github", "vault")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o700}


def test_a_plugin_serves_on_the_port_of_its_first_line_with_the_version_of_the_sdk(tmp_path: Path) -> None:
    sandbox = sandbox_at(tmp_path / "a sandbox")
    aws = write_plugins(tmp_path / "bin", Path(sys.executable), sandbox)[0]
    environment = {key: value for key, value in os.environ.items() if key != "KEYTURN_SANDBOX_DIR"}
    # in the background, as a shell has it
    command = ["/bin/sh", "-c", 'trap "" INT; exec "$0" "$1"', str(aws), "127.0.0.1:1"]
    # the program that was just written
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, cwd=tmp_path, env=environment) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub = provider_pb2_grpc.ResourceProviderStub(channel)
                assert stub.GetPluginInfo(empty_pb2.Empty()).version == metadata.version("pulumi-aws")
                urn = "urn:pulumi:local::keyturn::aws:sqs/queue:Queue::dead"
                assert not stub.Check(provider_pb2.CheckRequest(urn=urn)).failures
        finally:
            # how the command ends a provider
            process.send_signal(signal.SIGINT)
            try:
                _, said = process.communicate(timeout=60)
            finally:
                process.kill()
    assert (process.returncode, b"Traceback" in said) == (0, False)


def test_a_plugin_without_a_sandbox_says_how_to_start_one(tmp_path: Path) -> None:
    aws = write_plugins(tmp_path / "bin", Path(sys.executable), tmp_path / "none")[0]
    environment = {**os.environ, "KEYTURN_SANDBOX_DIR": str(tmp_path / "other")}
    # the program that was just written
    done = subprocess.run([aws], capture_output=True, text=True, check=False, env=environment, timeout=60)  # noqa: S603
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("no sandbox is up")
    assert "keyturn sandbox up" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_plugins_of_a_sandbox_are_written_into_it_and_the_folder_is_printed(tmp_path: Path) -> None:
    sandbox = tmp_path / "sandbox"
    environment = {**os.environ, "KEYTURN_SANDBOX_DIR": str(sandbox)}
    command = [sys.executable, "-m", "sandbox.engine.plugins"]
    # the project's own module
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=CHECKOUT)  # noqa: S603
    assert done.stdout == f"{sandbox / 'plugins'}\n"
    assert len(list((sandbox / "plugins").iterdir())) == 4
    assert Layout(sandbox).marker.exists()
    other = {**os.environ, "KEYTURN_SANDBOX_DIR": str(tmp_path)}
    (tmp_path / "something").touch()
    # as above
    refused = subprocess.run(command, capture_output=True, text=True, check=False, env=other, cwd=CHECKOUT)  # noqa: S603
    assert refused.returncode == 1
    assert "is not empty and is not a sandbox" in refused.stderr
    assert "Traceback" not in refused.stderr
