"""The examples as processes beside a deployed stack: configured by its outputs, known to IAM, heard at its endpoint."""

from __future__ import annotations

import http.client
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from botocore.credentials import Credentials
from runs_stack import Stack

from sandbox.parts.postgres_roles import connect

_ROOT = Path(__file__).parents[3]
_STOP_S = 20


def environment(stack: Stack, who: Credentials, secret: str, consumer: str) -> dict[str, str]:
    """What a service of the sandbox is started with."""
    return {
        **{name: said for name, said in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))},
        **given(stack),
        "AWS_ACCESS_KEY_ID": who.access_key,
        "AWS_SECRET_ACCESS_KEY": who.secret_key,
        "AWS_SESSION_TOKEN": who.token or "",
        "SECRET": secret,
        "CONSUMER": consumer,
        "PORT": "0",
        "PYTHONPATH": str(_ROOT),
    }


def given(stack: Stack) -> dict[str, str]:
    """The variables that the sandbox has for consumers, as a shell reads them."""
    lines = stack.layout.consumer.read_text(encoding="utf-8").splitlines()
    return dict(shlex.split(line)[0].split("=", 1) for line in lines)


@contextmanager
def serving(program: str, environment: Mapping[str, str], pool: int) -> Iterator[int]:
    """An example until the block ends; its port."""
    argv = [sys.executable, str(_ROOT / "examples" / program)]
    given = {**environment, "POOL": str(pool)}
    with subprocess.Popen(argv, env=given, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - an example
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()
            process.wait(_STOP_S)


def health(port: int) -> dict[str, Any]:
    """What a service says of itself."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_STOP_S)) as connection:
        connection.request("GET", "/health")
        document: dict[str, Any] = json.loads(connection.getresponse().read())
        return document


def sessions(stack: Stack) -> dict[str, int]:
    """How many sessions each of the application's users has."""
    rows = _authority(
        stack, "SELECT usename, count(*) FROM pg_stat_activity WHERE usename LIKE 'payments_app%' GROUP BY 1"
    )
    return dict(rows)


def booked(stack: Stack, value: str) -> int:
    """Transfers in the table, as whoever holds this value counts them."""
    login = json.loads(value)
    with closing(connect(stack.facts.postgres_port, login["username"], login["password"])) as connection:
        ((count,),) = connection.run("SELECT count(*) FROM transfers")
        return int(count)


def notify(stack: Stack, payload: int) -> None:
    """Tell whoever listens for orders."""
    _authority(stack, f"NOTIFY orders, '{payload}'")


def _authority(stack: Stack, statement: str) -> Any:
    login = stack.credentials
    with closing(
        connect(stack.facts.postgres_port, login.postgres_admin_user, login.postgres_admin_password)
    ) as connection:
        return connection.run(statement)
