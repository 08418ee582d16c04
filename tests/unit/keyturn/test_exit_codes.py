"""The table of exit codes: whole, documented, and no reason of the sandbox is told as a failed run."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from command_bench import Command

from keyturn.exits import MEANINGS, Exit, of_error, of_reason, worst
from keyturn.stack import ROOT
from rotation.errors import Denied, Refused, Throttled, Unavailable

_RAISED = re.compile(r"(?:SandboxError|EngineError|ProgramFailed|Refused)\(\s*\"([a-z_]+)\"")
# Imported by the verb that needs them: each costs more than showing the help.
HEAVY = ("boto3", "botocore", "pulumi", "grpc", "hvac", "google.cloud", "yaml", "cryptography", "pg8000")


def test_every_code_has_its_meaning_and_its_own_number() -> None:
    assert set(MEANINGS) == set(Exit)
    assert len({int(code) for code in Exit}) == len(Exit)


@pytest.mark.parametrize("code", list(Exit))
def test_every_code_is_in_the_help_and_in_the_documentation(
    command: Command, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # wide enough that no line is folded
    monkeypatch.setenv("COLUMNS", "200")
    shown = command("--help").out
    written = (ROOT / "docs" / "command.md").read_text()
    assert re.search(rf"^\W*{int(code)}\s+{re.escape(MEANINGS[code])}", shown, re.MULTILINE)
    assert f"| {int(code)} | {MEANINGS[code]} |" in written


@pytest.mark.parametrize("folder", ["sandbox", "artefacts"])
def test_no_reason_of_the_sandbox_or_of_a_deployment_is_told_as_a_failed_run(folder: str) -> None:
    # what the emulating handlers refuse comes out of the engine as `resource_failed`
    inside = [path for path in (ROOT / folder).rglob("*.py") if "handlers" not in path.parts]
    reasons = {reason for path in inside for reason in _RAISED.findall(path.read_text())}
    assert reasons
    assert {reason for reason in reasons if of_reason(reason) is Exit.RUN_FAILED} == set()


@pytest.mark.parametrize("provider", ["aws", "vault", "gcp", "target"])
def test_every_providers_reasons_share_the_codes_of_what_may_be_done(provider: str) -> None:
    assert of_reason(f"{provider}_unreachable") is Exit.UNREACHABLE
    assert of_reason(f"{provider}_denied") is Exit.DENIED
    assert of_reason(f"{provider}_throttled") is Exit.THROTTLED


def test_an_error_without_a_known_reason_is_judged_by_its_class() -> None:
    assert of_error(Denied("something_new", "")) is Exit.DENIED
    assert of_error(Throttled("something_new", "")) is Exit.THROTTLED
    assert of_error(Unavailable("something_new", "")) is Exit.UNREACHABLE
    assert of_error(Refused("something_new", "")) is Exit.RUN_FAILED


def test_several_ends_have_the_code_of_the_first_that_is_not_done() -> None:
    assert worst([Exit.DONE, Exit.DENIED, Exit.RUN_FAILED]) is Exit.DENIED
    assert worst([]) is Exit.DONE


def test_the_help_imports_nothing_that_takes_longer_than_showing_it() -> None:
    script = f"import keyturn.app, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603  # our own
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "verb",
    [
        "plan",
        "rotate",
        "status",
        "history",
        "rollback",
        "resume",
        "repair",
        "overlap close",
        "overlap extend",
        "kill-switch engage",
        "kill-switch release",
        "kill-switch show",
        "freeze",
        "unfreeze",
        "report-only on",
        "report-only off",
        "verify",
        "doctor",
        "validate-env",
        "clean",
        "demo",
        "sandbox up",
        "sandbox down",
    ],
)
def test_every_verb_shows_an_example_and_offers_json(
    command: Command, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = command(*verb.split(), "--help").out
    assert f"keyturn {verb}" in shown
    assert "--json" in shown


def test_the_shell_completes_secrets_and_stacks() -> None:
    completed = {
        "keyturn rotate pay": "payments/postgres",
        "keyturn status --stack st": "staging",
    }
    for line, wanted in completed.items():
        environment = {
            "_KEYTURN_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split()) - 1),
            "PATH": "/usr/bin:/bin",
        }
        done = subprocess.run(
            [sys.executable, "-m", "keyturn"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert wanted in done.stdout
