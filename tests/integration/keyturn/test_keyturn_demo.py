"""The command against a sandbox of its own: the demonstration twice, looks at what came of it, interrupts.

The rotations are executions of the generated definitions with functions from the built zips; nothing here imports the
runtime. One sandbox serves the module, so the tests stand in the order in which a person would go.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from keyturn.stack import ROOT

pytestmark = pytest.mark.sandbox

SECRETS = {"payments/postgres": "28P01", "partners/api-token": "401", "analytics/signing-key": "unknown_key"}
# Those that wait for a person or a consumer, whom no demonstration has.
LEFT_OUT = ("partners/webhook-key", "exports/iam-key", "billing/processor-login")
# A demonstration takes half a minute; many times that on a machine that is busy with other things.
_LONGEST_S = 300


class Shell:
    """Runs the command as a person does: a process, with the sandbox in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.environment: Mapping[str, str] = {**os.environ, "KEYTURN_SANDBOX_DIR": str(directory)}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A running command."""
        return subprocess.Popen(  # noqa: S603  # our own command
            [sys.executable, "-m", "keyturn", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str) -> tuple[int, Any, str]:
        """Exit code, document and standard error of a command with `--json`."""
        process = self.start(*arguments, "--json")
        out, err = process.communicate(timeout=_LONGEST_S)
        assert "Traceback" not in out + err, err
        return process.returncode, json.loads(out), err


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    """A directory that every user may enter (the database's own user has to); removed with the sandbox in it."""
    top = Path(tempfile.mkdtemp(prefix="keyturn-test-"))
    top.chmod(0o755)
    made = Shell(top / "sandbox")
    yield made
    made("clean")
    shutil.rmtree(top)


@pytest.fixture(scope="module")
def demonstrated(shell: Shell) -> dict[str, Any]:
    """What the demonstration said."""
    code, document, err = shell("demo")
    assert code == 0, err
    assert [name for name in LEFT_OUT if f"deployed, not rotated here: {name}: " not in err] == []
    found: dict[str, Any] = document
    return found


def test_the_demonstration_makes_first_values_and_proves_every_old_one_dead(demonstrated: dict[str, Any]) -> None:
    firsts = {row["secret"]: row["outcome"] for row in demonstrated["first_values"]}
    assert firsts == dict.fromkeys(SECRETS, "first value")
    proofs = {row["secret"]: row["proof"] for row in demonstrated["rotations"]}
    assert proofs == {name: f"new accepted, old refused ({code})" for name, code in SECRETS.items()}


def test_every_row_was_an_execution_of_each_machine(demonstrated: dict[str, Any], shell: Shell) -> None:
    for row in demonstrated["rotations"]:
        for machine, run_id in row["runs"].items():
            _, document, _ = shell("history", row["secret"], "--run", run_id)
            assert f":keyturn-local-{machine}:" in document["run"]["execution"]
            assert document["run"]["status"] == "succeeded"


@pytest.mark.usefixtures("demonstrated")
def test_afterwards_every_secret_is_settled_well_and_proven(shell: Shell) -> None:
    _, status, _ = shell("status")
    assert {one["secret"] for one in status["secrets"] if one["head"]["current"] and not one["head"]["overlap"]} == set(
        SECRETS
    )
    code, doctor, _ = shell("doctor")
    odd = {check["name"]: check["found"] for check in doctor["checks"] if check["verdict"] != "ok"}
    assert (code, odd) == (0, dict.fromkeys(LEFT_OUT, "has no value yet"))
    for name in SECRETS:
        assert shell("verify", name)[0] == 0


@pytest.mark.usefixtures("demonstrated")
def test_a_second_sandbox_up_has_its_own_exit_code_and_a_second_demonstration_rotates_again(shell: Shell) -> None:
    code, document, _ = shell("sandbox", "up")
    assert (code, document["reason"]) == (14, "already_up")
    code, document, err = shell("demo")
    assert code == 0, err
    assert document["first_values"] == []
    assert {row["outcome"] for row in document["rotations"]} == {"rotated"}


@pytest.mark.usefixtures("demonstrated")
def test_an_unknown_secret_is_refused_by_the_deployed_control(shell: Shell) -> None:
    code, document, _ = shell("rotate", "payments/mysql")
    assert (code, document["reason"]) == (3, "unknown_secret")


@pytest.mark.usefixtures("demonstrated")
def test_after_an_interrupt_the_run_goes_on_and_the_next_rotation_ends_the_overlap_it_left(shell: Shell) -> None:
    name = "payments/postgres"
    before = len(shell("history", name)[1]["runs"])
    process = shell.start("rotate", name)
    assert process.stderr
    for line in process.stderr:
        # the run is claimed; what follows happens in the cloud
        if "prepare" in line or "warm_up" in line:
            process.send_signal(signal.SIGINT)
            break
    out, err = process.communicate(timeout=_LONGEST_S)
    assert (process.returncode, "Traceback" in out + err) == (130, False)
    assert f"the runs of {name} go on in the stack local" in err
    assert f"`keyturn history {name}`" in err
    interrupted = _ended(shell, name, before)
    assert (interrupted["machine"], interrupted["status"]) == ("rotate", "succeeded")
    code, document, _ = shell("rotate", name)
    assert (code, document["rotations"][0]["outcome"]) == (0, "rotated")


def _ended(shell: Shell, name: str, index: int) -> dict[str, Any]:
    """The run at `index` of the history, once it has ended without us."""
    deadline = time.monotonic() + _LONGEST_S
    while time.monotonic() < deadline:
        run: dict[str, Any] = shell("history", name)[1]["runs"][index]
        if run["status"] != "running":
            return run
    pytest.fail("the interrupted run did not end")


@pytest.mark.usefixtures("demonstrated")
def test_a_sandbox_whose_vault_died_is_told_as_half_up_before_a_run_is_started(shell: Shell) -> None:
    _, status, _ = shell("sandbox", "status")
    openbao = next(one for one in status["servers"] if one["part"] == "openbao")
    os.kill(openbao["pid"], signal.SIGKILL)
    code, document, _ = shell("rotate", "partners/api-token")
    assert (code, document["reason"]) == (12, "sandbox_half_up")
    assert "openbao" in document["message"]


def test_down_and_clean_leave_nothing_behind(shell: Shell) -> None:
    assert shell("sandbox", "down")[0] == 0
    code, document, _ = shell("status")
    assert (code, document["reason"]) == (9, "sandbox_not_up")
    assert shell("clean")[0] == 0
    assert not Path(shell.environment["KEYTURN_SANDBOX_DIR"]).exists()
