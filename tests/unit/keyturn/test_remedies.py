"""Every refusal ends with what to do next, and every page that a remedy names is there."""

from __future__ import annotations

import re

import pytest
from command_bench import Command, PutModel
from control_model import ModelControl, Secret, refusal

from keyturn.commands.catalogue import register
from keyturn.exits import Exit, of_reason
from keyturn.remedies import REMEDIES, About, general, remedy, runnable
from keyturn.stack import ROOT

NAME = "payments/postgres"
_RAISED = re.compile(r"(?:Refused|Conflict|Halted|Fenced|Denied)\(\s*\"([a-z_]+)\"")
_PAGE = re.compile(r"docs/runbooks/([a-z-]+\.md)(?:#([a-z_]+))?")
_COMMAND = re.compile(r"`keyturn ([a-z-]+)(?: ([a-z-]+))?")


def refusals() -> list[str]:
    """The reasons that a verb of control may be refused with."""
    paths = [*(ROOT / "rotation" / "control").glob("*.py"), *(ROOT / "rotation" / "ledger").glob("*.py")]
    paths.append(ROOT / "rotation" / "handlers" / "endpoint.py")
    return sorted({reason for path in paths for reason in _RAISED.findall(path.read_text())})


@pytest.mark.parametrize("reason", refusals())
def test_no_refusal_of_control_is_told_as_a_failed_run(reason: str) -> None:
    assert of_reason(reason) is not Exit.RUN_FAILED


@pytest.mark.parametrize("reason", sorted(REMEDIES))
def test_a_refusal_without_a_remedy_of_its_own_is_told_with_one(
    command: Command, model: PutModel, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    control: ModelControl = model(Secret(NAME))
    monkeypatch.setattr(control, "ask", lambda *_args: refusal(reason))
    ended = command("overlap", "extend", NAME, "--by", "1h", "--reason", "x", "--json")
    assert ended.document["remedy"] == general(reason)
    assert ended.document["remedy"]


def test_remedies_can_be_copied_they_name_secret_run_and_stack() -> None:
    about = About(secret=NAME, run_id="abc", stack="prod", status="halted")
    said = remedy("kill_switch", about)
    assert "`keyturn kill-switch show --stack prod`" in said
    assert "`keyturn resume abc --reason WHY --stack prod` goes on" in said
    assert f"`keyturn rollback {NAME} --reason WHY --stack prod` undoes it" in said


@pytest.mark.parametrize("reason", [*REMEDIES, "execution_timed_out", "something_new"])
def test_every_command_that_a_remedy_names_exists(reason: str) -> None:
    import typer  # noqa: PLC0415  # only to ask what is registered

    app = typer.Typer()
    register(app)
    verbs = {one.name or one.callback.__name__ for one in app.registered_commands if one.callback}
    groups = {group.name for group in app.registered_groups}
    named = _COMMAND.findall(remedy(reason, About()))
    assert {verb for verb, _ in named} <= verbs | groups


@pytest.mark.parametrize("reason", sorted(REMEDIES))
def test_every_page_and_heading_that_a_remedy_names_is_there(reason: str) -> None:
    for page, heading in _PAGE.findall(REMEDIES[reason]):
        text = (ROOT / "docs" / "runbooks" / page).read_text()
        assert not heading or f"`{heading}`" in text


@pytest.mark.parametrize(
    ("named", "wanted"),
    [
        ("keyturn resume abc", "keyturn resume abc --reason WHY --stack prod"),
        ("keyturn history payments/postgres", "keyturn history payments/postgres --stack prod"),
        ("keyturn rollback x --reason y --stack qa", "keyturn rollback x --reason y --stack qa"),
        ("aws secretsmanager describe-secret", "aws secretsmanager describe-secret"),
        ("look at the audit log", "look at the audit log"),
    ],
)
def test_a_command_that_control_names_is_shown_as_it_can_be_run_here(named: str, wanted: str) -> None:
    assert runnable(named, "prod") == wanted
