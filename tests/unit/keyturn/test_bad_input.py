"""Everything a person can get wrong: one message, its reason, what to do next, its own exit code, no traceback.

The fixture `command` fails every test here whose output holds a traceback.
"""

from __future__ import annotations

import shutil
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any, Never

import pytest
from command_bench import SANDBOX, Command, Ended, PutModel
from control_model import Secret

from keyturn import bring_up, connect, stack
from rotation.errors import Denied, KeyturnError, Refused, Throttled, Unavailable
from sandbox import lifecycle
from sandbox.layout import Layout

NAME = "payments/postgres"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the stacks' configuration to spoil."""
    for path in stack.ROOT.glob("Pulumi.*.yaml"):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(stack, "ROOT", tmp_path)
    monkeypatch.setattr(stack.texts, "__defaults__", (tmp_path,))
    monkeypatch.setattr(stack.load, "__defaults__", (tmp_path,))
    return tmp_path


def spoil(checkout: Path, name: str, line: str) -> None:
    path = checkout / f"Pulumi.{name}.yaml"
    path.write_text(path.read_text() + f"  {line}\n")


def told(ended: Ended, code: int, *words: str) -> None:
    """The three lines of a failure, on standard error, and nothing on standard output."""
    assert ended.code == code
    assert ended.out == ""
    assert f"exit code {code}" in ended.err
    for word in words:
        assert word in ended.err


def test_an_unknown_secret(command: Command, model: PutModel) -> None:
    model(Secret(NAME))
    told(command("rotate", "payments/mysql"), 3, "no policy names the secret `payments/mysql`", "unknown_secret")


def test_an_unknown_stack(command: Command) -> None:
    told(command("status", "--stack", "qa"), 4, "there is no stack `qa`", "local, prod, staging", "unknown_stack")


def test_an_unknown_configuration_key(command: Command, checkout: Path) -> None:
    spoil(checkout, "staging", "keyturn:vaultAdress: https://vault.example.com")
    ended = command("status", "--stack", "staging")
    told(ended, 5, "`keyturn:vaultAdress` is not a key", "did you mean `keyturn:vaultAddress`?", "bad_configuration")


def test_a_configuration_that_is_no_yaml(command: Command, checkout: Path) -> None:
    (checkout / "Pulumi.staging.yaml").write_text("config: [")
    told(command("status", "--stack", "staging"), 5, "Pulumi.staging.yaml cannot be read", "bad_configuration")


def test_every_problem_of_a_configuration_is_named_at_once(command: Command, checkout: Path) -> None:
    path = checkout / "Pulumi.staging.yaml"
    kept = [line for line in path.read_text().splitlines() if "region" not in line and "awsAccount" not in line]
    path.write_text("\n".join([*kept, "  keyturn:awsAccount: twelve", ""]))
    told(command("status", "--stack", "staging"), 5, "`keyturn:region` is missing", "an account id of 12 digits")


def test_a_policy_that_its_store_cannot_serve_starts_no_server(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> Never:
        raise Refused("bad_policies", "policies are wrong:\n  overlap of payments/postgres", "correct policies/")

    monkeypatch.setattr(bring_up, "check_files", refuse)
    told(command("sandbox", "up"), 11, "overlap of payments/postgres", "correct policies/")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unavailable("vault_unreachable", "Vault did not answer", "check the address"), 6),
        (Denied("aws_denied", "AWS answered AccessDenied", "compare the role"), 7),
        (Throttled("gcp_throttled", "Google asked to slow down", "wait a minute"), 8),
    ],
    ids=["unreachable", "denied", "throttled"],
)
def test_a_store_that_does_not_serve(command: Command, model: PutModel, error: KeyturnError, code: int) -> None:
    model(Secret(NAME)).broken = error
    told(command("status"), code, error.message, error.remedy, error.reason)


def test_the_sandbox_is_not_up(command: Command) -> None:
    told(command("rotate", NAME), 9, "no sandbox is up", "keyturn sandbox up", "sandbox_not_up")


def test_the_sandbox_was_up_and_its_servers_are_gone(command: Command, tmp_path: Path) -> None:
    (tmp_path / "sandbox").mkdir()
    SANDBOX.save(tmp_path / "sandbox" / "facts.json")
    told(command("rotate", NAME), 9, "sandbox", "next: ")


def test_the_sandbox_is_half_up(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sandbox").mkdir()
    SANDBOX.save(tmp_path / "sandbox" / "facts.json")
    states = [
        lifecycle.PartStatus(part="postgres", state=lifecycle.RUNNING, pid=1),
        lifecycle.PartStatus(part="openbao", state=lifecycle.STOPPED),
    ]
    monkeypatch.setattr(lifecycle, "status", lambda _layout: states)
    told(command("rotate", NAME), 12, "half up; down: openbao (stopped)", "keyturn sandbox down", "sandbox_half_up")


def test_a_port_that_is_taken(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("KEYTURN_SANDBOX_PORTS", f"postgres={port}")
        monkeypatch.setattr(bring_up, "check_files", lambda: None)
        ended = command("sandbox", "up")
    told(ended, 13, f"port {port} for postgres is taken", "KEYTURN_SANDBOX_PORTS", "port_taken")


def test_a_second_sandbox_up_starts_nothing_and_says_what_may_be_meant(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "sandbox" / "run").mkdir(parents=True)
    Layout(tmp_path / "sandbox").applied.touch()
    monkeypatch.setattr(bring_up, "check_files", lambda: None)
    monkeypatch.setattr(lifecycle, "up", lambda *_args, **_options: replace(SANDBOX, already_running=True))
    ended = command("sandbox", "up")
    told(ended, 14, "is up already; nothing was started", "sandbox up --again", "already_up")


@pytest.mark.parametrize(
    "arguments",
    [
        ["rotate"],
        ["rotate", NAME, "--all"],
        ["rotat"],
        ["status", "--stak", "local"],
        ["history"],
        ["sandbox", "sideways"],
    ],
    ids=" ".join,
)
def test_a_command_line_that_makes_no_sense(command: Command, model: PutModel, arguments: list[str]) -> None:
    model(Secret(NAME))
    told(command(*arguments), 2, "--help")


def test_with_json_a_failure_is_one_document_too(command: Command) -> None:
    ended = command("status", "--stack", "qa", "--json")
    assert ended.code == 4
    assert ended.document == {
        "ok": False,
        "reason": "unknown_stack",
        "message": "there is no stack `qa`",
        "remedy": "the stacks are local, prod, staging: name one with --stack",
        "exit_code": 4,
    }


def test_a_defect_is_told_in_one_line_without_its_message(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(*_args: Any, **_options: Any) -> Never:
        raise ZeroDivisionError("text that may quote anything")

    monkeypatch.setattr(connect, "control_of", defect)
    ended = command("status")
    told(ended, 1, "ZeroDivisionError: this is a defect of keyturn", "KEYTURN_DEBUG=1")
    assert "quote anything" not in ended.err


def test_the_traceback_of_a_failed_program_is_cut_down_to_its_end(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any, **_options: Any) -> Never:
        raise Refused("program_failed", "the program failed:\nTraceback (most recent call last):\n  x\nNameError: y")

    monkeypatch.setattr(bring_up, "check_files", refuse)
    told(command("sandbox", "up"), 18, "the program failed: NameError: y")


def test_an_answer_of_another_version_is_told_as_such(
    command: Command, model: PutModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = model(Secret(NAME))
    monkeypatch.setattr(control, "ask", lambda *_args: {"ok": True, "result": [{"secret": NAME}]})
    told(command("status"), 4, "does not understand", "deploy the stack from this checkout")


@pytest.mark.parametrize(
    ("arguments", "verb"),
    [
        (("overlap", "extend"), "keyturn overlap extend"),
        (("overlap", "extend", "payments/postgres", "--by", "long", "--reason", "x"), "keyturn overlap extend"),
        (("overlap", "shorten"), "keyturn overlap"),
        (("rotate", "--sideways"), "keyturn rotate"),
        (("turn",), "keyturn"),
    ],
)
def test_a_wrong_command_line_points_at_the_help_of_its_very_verb(
    command: Command, model: PutModel, arguments: tuple[str, ...], verb: str
) -> None:
    model()
    assert f"see `{verb} --help`" in command(*arguments).err
