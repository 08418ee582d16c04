"""`keyturn consumers NAME --settings`: what a service is started with, for a shell and for programs."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from command_bench import Command, PutModel
from control_model import Secret

from keyturn import connect
from keyturn.client.settings import Settings

NAME = "payments/postgres"
# As long as the outputs of a stack with two keys are, with what a shell would take for its own.
PEM = "-----BEGIN PUBLIC KEY-----\n" + "MFkwEwYHKoZIzj0CAQ$`!'\"" * 8 + "\n-----END PUBLIC KEY-----\n"
PUBLISHED = json.dumps(
    {"stack": "local", "redis": "127.0.0.1:6379", "keys": [{"key_id": f"arn:{n}", "public_key_pem": PEM} for n in "12"]}
)


@pytest.fixture
def told(model: PutModel, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    found = {"secret": NAME, "consumers": [], "published": PUBLISHED}
    control = model(Secret(NAME, current="v1"))
    control._consumers = lambda secret: found  # type: ignore[attr-defined]
    monkeypatch.setattr(connect, "endpoint_of", lambda stack: ("http://127.0.0.1:1", "api.example"))
    return found


def test_a_shell_gets_what_the_library_understands(command: Command, told: dict[str, Any]) -> None:
    lines = command("consumers", NAME, "--settings").out.splitlines()
    given = dict(shlex.split(line)[0].split("=", 1) for line in lines)

    settings = Settings.from_json(given["KEYTURN_EVENTS"])
    assert (settings.stack, settings.redis, settings.keys) == ("local", "127.0.0.1:6379", {"arn:1": PEM, "arn:2": PEM})
    assert given | {"KEYTURN_EVENTS": ""} == {
        "KEYTURN_EVENTS": "",
        "KEYTURN_ENDPOINT": "http://127.0.0.1:1",
        "KEYTURN_ENDPOINT_HOST": "api.example",
        "SECRET": NAME,
    }


def test_where_dns_knows_the_endpoint_no_host_is_given(
    command: Command, told: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "endpoint_of", lambda stack: ("https://api.example", ""))
    settings = command("consumers", NAME, "--settings", "--json").document["settings"]
    assert (settings["KEYTURN_ENDPOINT"], "KEYTURN_ENDPOINT_HOST" in settings) == ("https://api.example", False)


def test_a_function_that_was_not_told_is_to_be_deployed_again(command: Command, told: dict[str, Any]) -> None:
    told["published"] = ""
    ended = command("consumers", NAME, "--settings")
    assert (ended.code, "pulumi stack output events" in ended.err) == (4, True)
