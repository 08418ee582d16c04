"""What stops runs, set through the command in the middle of them: kill switch, freeze, report-only, break-glass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from repair_command import WHY, Command
from repair_subject import Subject
from runs_catalogue import timed
from runs_stack import Ended, until
from runs_targets import ACCEPTED

from keyturn.exits import Exit

pytestmark = pytest.mark.sandbox

# Time to engage the switch between a run's test and its promotion.
WARM_UP_S = 4


def test_a_run_that_the_kill_switch_met_is_parked_and_resumed_with_the_same_candidate(
    each: Subject, command: Command
) -> None:
    before = each.live
    with _engaged(command):
        ended = _halted_in_its_warm_up(each, command)
        _nothing_moves(each, before.version, ended)
        seen = command.sees(each.name, "halted", "")
        assert f"keyturn resume {ended.run['run_id']}" in seen.found[0]["ask"]
        refused = command("resume", ended.run["run_id"], "--reason", WHY)
        assert (refused.code, refused.document["runs"][0]["outcome"]) == (Exit.REFUSED, "halted")
    said = command.well("resume", ended.run["run_id"], "--reason", WHY)
    assert (said["runs"][0]["run_id"], said["runs"][0]["outcome"]) == (ended.run["run_id"], "succeeded")
    run = each.stack.verb("run", run_id=ended.run["run_id"])
    assert _fingerprint(run, "stage") == _fingerprint(ended.run, "stage")
    assert each.live.version != before.version
    each.check_well()


def test_a_halted_run_is_undone_while_the_switch_is_still_engaged(api_token: Subject, command: Command) -> None:
    before = api_token.live
    with _engaged(command):
        ended = _halted_in_its_warm_up(api_token, command)
        said = command.well("rollback", api_token.name, "--yes", "--reason", WHY)
        assert (said["kind"], said["runs"][0]["outcome"]) == ("undo", "undone")
        assert api_token.live == before
        api_token.check_current()
        # and nothing begins
        begun = command("rotate", api_token.name, "--break-glass", "--reason", WHY)
        assert (begun.code, begun.document["rotations"][0]["reason"]) == (Exit.REFUSED, "kill_switch")
    assert api_token.stack.verb("run", run_id=ended.run["run_id"])["status"] == "undone"
    api_token.check_well()


def test_after_the_release_repair_goes_on_with_a_halted_run(signing_key: Subject, command: Command) -> None:
    with _engaged(command):
        _halted_in_its_warm_up(signing_key, command)
    command.repairs(signing_key.name, "halted", "resume")
    signing_key.check_well()


def test_a_freeze_stops_a_secret_and_break_glass_passes_it(postgres: Subject, command: Command) -> None:
    before = postgres.live
    frozen = command.well("freeze", postgres.name, "--for", "1h", "--reason", WHY)
    assert [one["secret"] for one in frozen["switch"]["freezes"]] == [postgres.name]
    begun = command("rotate", postgres.name)
    assert (begun.code, begun.document["rotations"][0]["reason"]) == (Exit.REFUSED, "frozen")
    assert postgres.live == before
    command.well("rotate", postgres.name, "--break-glass", "--reason", WHY)
    assert postgres.live != before
    (run,) = [run for run in postgres.stack.verb("history", secret=postgres.name)[-2:] if run["machine"] == "rotate"]
    assert (run["break_glass"], run["reason"]) == (True, WHY)
    command.well("unfreeze", postgres.name, "--reason", WHY)
    postgres.check_well()


def test_a_freeze_of_the_whole_stack_stops_every_secret(postgres: Subject, command: Command) -> None:
    command.well("freeze", "--all", "--for", "1h", "--reason", WHY)
    begun = command("rotate", postgres.name)
    assert (begun.code, begun.document["rotations"][0]["reason"]) == (Exit.REFUSED, "frozen")
    command.well("unfreeze", "--all", "--reason", WHY)
    postgres.check_well()


def test_in_report_only_mode_a_run_is_reported_and_nothing_is_done(postgres: Subject, command: Command) -> None:
    before = postgres.live
    command.well("report-only", "on", "--reason", WHY)
    begun = command("rotate", postgres.name)
    assert (begun.code, begun.document["rotations"][0]["outcome"]) == (Exit.REFUSED, "reported")
    assert postgres.stack.verb("history", secret=postgres.name)[-1]["status"] == "reported"
    assert postgres.live == before
    command.well("rotate", postgres.name, "--break-glass", "--reason", WHY)
    assert postgres.live != before
    command.well("report-only", "off", "--reason", WHY)
    postgres.check_well()


def test_who_changed_the_switch_and_why_is_kept(command: Command) -> None:
    with _engaged(command):
        command.well("kill-switch", "engage", "--reason", WHY)
        shown = command.well("kill-switch", "show")
        (stop,) = shown["in_force"]
        assert stop["reason"] == "kill_switch"
    entries = command.well("kill-switch", "show")["switch"]["audit"]
    assert [(one["verb"], one["reason"]) for one in entries[:2]] == [("release", WHY), ("engage", WHY)]
    assert {one["actor"] for one in entries[:2]} == {"arn:aws:iam::000000000000:root"}


@contextmanager
def _engaged(command: Command) -> Iterator[None]:
    """Room for a test to engage the switch; released whatever happens."""
    try:
        yield
    finally:
        command.well("kill-switch", "release", "--yes", "--reason", WHY)


def _halted_in_its_warm_up(one: Subject, command: Command) -> Ended:
    with timed(one.stack, one.name, overlap_s=0, warm_up_s=WARM_UP_S):
        started = one.stack.begin("rotate", one.name)
        until(lambda: one.tested(started["run_id"]), "the test")
        command.well("kill-switch", "engage", "--reason", WHY)
        ended = one.stack.ended(started)
    assert (ended.status, ended.error, ended.run["status"]) == ("FAILED", "kill_switch", "halted")
    return ended


def _nothing_moves(one: Subject, before: str, ended: Ended) -> None:
    """Parked with its claim: readers stay where they were, the candidate waits, and works already."""
    assert one.head["run_id"] == ended.run["run_id"]
    assert [step["step"] for step in ended.run["steps"]] == ["stage", "apply", "test"]
    candidate = one.reader.candidate(ended.run["run_id"], ended.step("stage")["facts"])
    assert candidate
    assert (one.live.version, one.says(candidate.text)) == (before, ACCEPTED)


def _fingerprint(run: dict[str, object], name: str) -> str:
    steps = run["steps"]
    assert isinstance(steps, list)
    return str(next(step["intent"]["fingerprint"] for step in steps if step["step"] == name))
