"""`keyturn overlap`, and `rotate` in an emergency: overlaps that are ended before their time, watched to the proof."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from command_bench import Command, PutModel
from control_model import BEGAN, Secret

NAME = "payments/postgres"
WHY = ("--reason", "it leaked")
FAR = BEGAN.replace(year=2999)


def left_open(**facts: Any) -> Secret:
    """A secret whose last rotation left a long overlap."""
    overlap = {"run_id": "earlier", "retire_at": FAR.isoformat(), "old": {"id": "v1"}, "new": {"id": "v2"}}
    return Secret(NAME, current="v2", overlap_s=4 * 3_600, overlap=overlap, **facts)


def test_close_ends_the_overlap_now_and_watches_until_the_old_one_is_refused(command: Command, model: PutModel) -> None:
    control = model(left_open())
    ended = command("overlap", "close", NAME, *WHY)
    assert ended.code == 0
    assert "new accepted, old refused (28P01)" in ended.out
    assert control.secrets[NAME].overlap is None
    assert control.fields[1] == ("overlap_close", {"secret": NAME, "reason": "it leaked"})


def test_close_tells_a_proof_that_failed_with_its_runbook(command: Command, model: PutModel) -> None:
    model(left_open(fails={"prove": {"outcome": "failed", "reason": "old_alive", "proof": "alive"}}))
    ended = command("overlap", "close", NAME, *WHY)
    assert ended.code == 10
    assert "failed: old_alive" in ended.out
    assert "docs/runbooks/old-alive.md" in ended.err


def test_close_watches_the_retirement_that_the_schedule_began_a_moment_before(
    command: Command, model: PutModel
) -> None:
    control = model(left_open())
    control.ask("retire", {"secret": NAME, "reason": "overlap over"})
    control.secrets[NAME].refuse = ["claim_held"]
    ended = command("overlap", "close", NAME, *WHY, "--json")
    assert ended.code == 0
    assert ended.document["runs"][0]["run_id"] == "retire1-payments-postgres"
    assert ended.document["runs"][0]["proof"] == "new accepted, old refused (28P01)"


def test_close_without_an_overlap_says_where_to_look_and_starts_nothing(command: Command, model: PutModel) -> None:
    control = model(Secret(NAME, current="v1"))
    ended = command("overlap", "close", NAME, *WHY)
    assert ended.code == 15
    assert "has no open overlap to close" in ended.err
    assert f"keyturn history {NAME}" in ended.err
    assert "overlap_close" not in control.asked


def test_close_without_waiting_starts_the_retirement_and_says_how_to_look_at_it(
    command: Command, model: PutModel
) -> None:
    control = model(left_open())
    ended = command("overlap", "close", NAME, *WHY, "--no-wait")
    assert ended.code == 0
    assert f"keyturn history {NAME} --run retire1-payments-postgres" in ended.out
    assert "run" not in control.asked


def test_extend_adds_the_named_time_to_the_end_of_the_overlap(command: Command, model: PutModel) -> None:
    control = model(left_open())
    ended = command("overlap", "extend", NAME, "--by", "36h", *WHY, "--json")
    assert ended.code == 0
    assert control.fields[-1][1]["seconds"] == 36 * 3_600
    assert ended.document["retire_at"] == (FAR + timedelta(hours=36)).isoformat()


@pytest.mark.parametrize("by", ["soon", "0h", "-1h", "24", "400d", ""])
def test_extend_by_what_is_no_length_says_how_to_write_one(command: Command, model: PutModel, by: str) -> None:
    control = model(left_open())
    ended = command("overlap", "extend", NAME, "--by", by, *WHY)
    assert ended.code == 2
    assert "write it like 30min, 24h or 2d" in ended.err or "at most a year" in ended.err
    assert control.asked == []


def test_an_emergency_closes_an_open_overlap_first_then_rotates_then_sees_the_old_one_dead(
    command: Command, model: PutModel
) -> None:
    control = model(left_open())
    ended = command("rotate", NAME, "--emergency", *WHY, "--json")
    row = ended.document["rotations"][0]
    assert ended.code == 0
    assert [run["machine"] for run in control.secrets[NAME].runs] == ["retire", "rotate", "retire"]
    assert (row["old"], row["outcome"], row["proof"]) == ("v2", "rotated", "new accepted, old refused (28P01)")
    assert control.secrets[NAME].runs[1]["emergency"] is True


def test_an_emergency_watches_the_retirement_that_control_started_and_starts_none_itself(
    command: Command, model: PutModel
) -> None:
    control = model(Secret(NAME, current="v1", overlap_s=4 * 3_600))
    ended = command("rotate", NAME, "--emergency", *WHY, "--json")
    assert ended.document["rotations"][0]["outcome"] == "rotated"
    assert "retire" not in control.asked
    assert control.secrets[NAME].runs[-1]["requested_by"] == "sweep"


def test_an_emergency_whose_old_credential_lives_on_is_told_and_not_tried_again(
    command: Command, model: PutModel
) -> None:
    fails = {"prove": {"outcome": "failed", "reason": "old_alive", "proof": "alive"}}
    control = model(Secret(NAME, current="v1", fails=fails))
    ended = command("rotate", NAME, "--emergency", *WHY)
    assert ended.code == 10
    assert "failed: old_alive" in ended.out
    assert "docs/runbooks/old-alive.md" in ended.err
    assert [run["machine"] for run in control.secrets[NAME].runs] == ["rotate", "retire"]


@pytest.mark.parametrize("flag", ["--emergency", "--break-glass"])
def test_what_is_out_of_the_ordinary_needs_a_reason_of_its_own(command: Command, model: PutModel, flag: str) -> None:
    control = model(Secret(NAME, current="v1"))
    ended = command("rotate", NAME, flag)
    assert ended.code == 2
    assert "say why with --reason" in ended.err
    assert control.asked == []


def test_an_emergency_that_nobody_waits_for_ends_the_open_overlap_and_control_rotates_after_it(
    command: Command, model: PutModel
) -> None:
    control = model(left_open())
    ended = command("rotate", NAME, "--emergency", "--no-wait", *WHY)
    assert ended.code == 0
    assert "retire, which is in the way, and then the rotation" in ended.err
    assert f"`keyturn history {NAME}`" in ended.err
    assert control.asked.count("rotate") == 1
    document = command("history", NAME, "--json").document
    assert [run["machine"] for run in document["runs"]] == ["retire"]


def test_one_request_is_all_that_an_emergency_on_an_open_overlap_takes(command: Command, model: PutModel) -> None:
    control = model(left_open())
    assert command("rotate", NAME, "--emergency", *WHY).code == 0
    changes = [verb for verb in control.asked if verb in {"rotate", "retire", "overlap_close"}]
    assert changes == ["rotate"]


def test_an_emergency_rotation_that_control_did_not_start_is_started_by_whoever_watches(
    command: Command, model: PutModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyturn.journey.EXPECTED_WITHIN_S", 0.0)
    monkeypatch.setattr("keyturn.retirement.EXPECTED_WITHIN_S", 0.0)
    secret = left_open()
    secret.forgotten = True
    control = model(secret)
    assert command("rotate", NAME, "--emergency", *WHY).code == 0
    assert [run["machine"] for run in secret.runs] == ["retire", "rotate", "retire"]
    assert control.asked.count("rotate") == 2


def test_an_emergency_whose_way_is_not_cleared_says_so_and_does_not_rotate(command: Command, model: PutModel) -> None:
    secret = left_open()
    secret.fails = {"witness": {"outcome": "failed", "reason": "new_not_accepted"}}
    model(secret)
    ended = command("rotate", NAME, "--emergency", *WHY)
    assert ended.code == 10
    assert "new_not_accepted" in ended.out
    assert f"keyturn repair {NAME}" in ended.err
    assert [run["machine"] for run in secret.runs] == ["retire"]


def test_break_glass_passes_a_freeze_and_never_the_kill_switch(command: Command, model: PutModel) -> None:
    control = model(Secret(NAME, current="v1"))
    control.ask("freeze", {"secrets": [], "until": FAR.isoformat(), "reason": "holidays"})
    assert command("rotate", NAME, *WHY).code == 15
    assert command("rotate", NAME, "--break-glass", *WHY).code == 0
    assert {"break_glass": True}.items() <= dict(control.fields)["retire"].items()
    control.ask("engage", {"reason": "stop"})
    ended = command("rotate", NAME, "--break-glass", *WHY)
    assert ended.code == 15
    assert "kill_switch" in ended.out
