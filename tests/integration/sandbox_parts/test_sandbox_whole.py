"""The whole sandbox: every part on loopback with its own port, credentials in one place, nothing left when down."""

from __future__ import annotations

import dataclasses
import io
import json
import socket
import zipfile
from contextlib import closing
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from kernel_view import is_loopback, listeners, mentions, processes

from sandbox import lifecycle
from sandbox.aws_client import administrator
from sandbox.errors import SandboxError
from sandbox.facts import Credentials, Facts
from sandbox.kernel import is_alive
from sandbox.layout import Layout
from sandbox.lifecycle import down, remove, status, up
from sandbox.parts import PARTS
from sandbox.parts.contract import Request
from sandbox.parts.ministack import Ministack

pytestmark = [pytest.mark.sandbox, pytest.mark.openbao, pytest.mark.postgres]

NAMES = {"postgres", "google", "ministack", "openbao", "token_service", "verifier", "jwks", "webhooks", "redis"}


def invoke_a_function(facts: Facts) -> None:
    """Leave a warm worker of the AWS emulator behind."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("app.py", "def handle(event, context):\n    return event\n")
    with closing(administrator(facts, "lambda")) as functions:
        functions.create_function(
            FunctionName="echo",
            Runtime="python3.11",
            Role=f"arn:aws:iam::{facts.aws_account_id}:role/any",
            Handler="app.handle",
            Code={"ZipFile": archive.getvalue()},
        )
        functions.get_waiter("function_active_v2").wait(FunctionName="echo")
        answer = functions.invoke(FunctionName="echo", Payload=b'{"x": 1}')
        assert json.loads(answer["Payload"].read()) == {"x": 1}


def test_up_starts_every_part_on_loopback_only_and_down_leaves_no_process(layout: Layout) -> None:
    events = []
    facts = up(layout, on_progress=lambda part, event: events.append((part, event)))
    assert facts.already_running is False
    assert Facts.load(layout.facts) == facts
    assert {part for part, event in events if event.startswith("ready in ")} == NAMES
    assert {(s.part, s.state, s.problem) for s in status(layout)} == {(n, "running", "") for n in NAMES}
    invoke_a_function(facts)
    found = processes(layout)
    accepting = listeners({process.pid for process in found})
    assert len(accepting) == len(NAMES)
    assert [address for address, _ in accepting if not is_loopback(address)] == []
    assert len(found) > len(NAMES), "the emulator has no worker, so stopping workers is not tried"
    assert set(down(layout)) == NAMES
    assert [process for process in found if is_alive(process)] == []
    assert mentions(str(layout.root)) == []
    assert not layout.facts.exists()
    assert not layout.credentials.exists()
    assert not layout.run.exists()
    assert {path.name for path in layout.logs.iterdir()} >= {f"{name}.log" for name in NAMES}
    remove(layout)
    assert not layout.root.exists()


def test_credentials_are_in_their_file_only_and_in_no_argument(layout: Layout) -> None:
    up(layout)
    stored = Credentials.load(layout.credentials)
    secrets = [v.encode() for n, v in dataclasses.asdict(stored).items() if n != "postgres_admin_user"]
    lines = "\n".join(mentions(str(layout.root))).encode()
    places = {path for path in layout.root.rglob("*") if path.is_file() and "/data/" not in str(path)}
    holders = {path.name for path in places for secret in secrets if secret in path.read_bytes()}
    # each target reads its authority from its own file
    assert holders == {"credentials.json", "authority"}
    assert not any(secret in lines for secret in secrets)
    assert all(path.stat().st_mode & 0o077 == 0 for path in places if path.name in holders)


def test_with_auth_the_emulator_enforces_policies_and_without_it_does_not(layout: Layout) -> None:
    def list_secrets_as_a_stranger(facts: Facts) -> list[Any]:
        with closing(administrator(facts, "iam")) as iam:
            iam.create_user(UserName="stranger")
            key = iam.create_access_key(UserName="stranger")["AccessKey"]
        with closing(
            boto3.client(
                "secretsmanager",
                endpoint_url=facts.aws_endpoint,
                region_name=facts.aws_region,
                aws_access_key_id=key["AccessKeyId"],
                aws_secret_access_key=key["SecretAccessKey"],
            )
        ) as store:
            return store.list_secrets()["SecretList"]

    for auth in (False, True):
        facts = _lone(layout, auth=auth)
        if auth:
            with pytest.raises(ClientError) as refused:
                list_secrets_as_a_stranger(facts)
            assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
        else:
            assert list_secrets_as_a_stranger(facts) == []
        down(layout)


def _lone(layout: Layout, *, auth: bool) -> Facts:
    """The AWS emulator alone, and facts that name it."""
    layout.claim()
    layout.make_fresh()
    with lifecycle.reserved({"ministack": 0}) as ports:
        started = Ministack().start(Request(layout=layout, port=ports["ministack"], auth=auth))
    given = {f.name: "" for f in dataclasses.fields(Facts) if f.default is dataclasses.MISSING}
    return Facts(**{**given, **started.facts})


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_taken_port_is_named_with_its_part_and_nothing_is_started(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("KEYTURN_SANDBOX_PORTS", f"{name}={port}")
        with pytest.raises(SandboxError) as refused:
            up(layout)
    assert refused.value.reason == "port_taken"
    assert name in refused.value.message
    assert str(port) in refused.value.message
    assert mentions(str(layout.root)) == []


def test_every_part_can_have_a_fixed_port(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    with lifecycle.reserved(dict.fromkeys(NAMES, 0)) as free:
        wanted = dict(free)
    monkeypatch.setenv("KEYTURN_SANDBOX_PORTS", ",".join(f"{n}={p}" for n, p in wanted.items()))
    up(layout)
    accepting = {port for _, port in listeners({process.pid for process in processes(layout)})}
    assert accepting == set(wanted.values())


@pytest.mark.parametrize("given", ["postgres", "postgres=x", "postgres=-1", "postgres=99999", "mysql=3306", "=5"])
def test_ports_that_cannot_be_understood_are_refused(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("KEYTURN_SANDBOX_PORTS", given)
    with pytest.raises(SandboxError) as refused:
        up(layout)
    assert refused.value.reason == "ports_malformed"
    assert "ministack" in refused.value.remedy


def test_the_names_of_the_parts_are_those_that_people_read_in_the_documentation() -> None:
    assert {part.name for part in PARTS} == NAMES
