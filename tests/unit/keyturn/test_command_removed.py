"""A secret whose policy was removed while something of it is open: shown, ended, and never begun anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from command_bench import Command, PutModel
from control_model import Secret

from keyturn.answers import Overlap, Standing
from keyturn.control import Control
from keyturn.diagnosis import standing_checks

NAME, OTHER = "payments/postgres", "partners/api-token"
WHY = ("--reason", "the service is gone")


def removed(**changes: object) -> Secret:
    """An open overlap, and no policy."""
    versions = {"old": {"id": "v1"}, "new": {"id": "v2"}}
    ends = (datetime.now(UTC) + timedelta(hours=4)).isoformat()
    overlap = {"run_id": "earlier", "retire_at": ends, **versions}
    return Secret(NAME, current="v2", overlap_s=4 * 3_600, overlap=overlap, removed=True, **changes)  # type: ignore[arg-type]


def test_status_says_that_its_policy_was_removed(command: Command, model: PutModel) -> None:
    model(removed(), Secret(OTHER, current="v1"))
    assert "its policy was removed" in command("status").out
    shown = {one["secret"]: one["removed"] for one in command("status", "--json").document["secrets"]}
    assert shown == {NAME: True, OTHER: False}


def test_rotating_everything_passes_it_over(command: Command, model: PutModel) -> None:
    control = model(removed(), Secret(OTHER, current="v1"))
    ended = command("rotate", "--all", "--json")
    assert (ended.code, [one["secret"] for one in ended.document["rotations"]]) == (0, [OTHER])
    assert control.secrets[NAME].runs == []


def test_rotating_it_by_name_is_refused_before_anything_is_asked_with_what_ends_it(
    command: Command, model: PutModel
) -> None:
    control = model(removed(), Secret(OTHER, current="v1"))
    ended = command("rotate", NAME, OTHER, *WHY)
    assert ended.code == 3
    assert f"keyturn overlap close {NAME} --reason WHY" in ended.err
    assert "rotate" not in control.asked


def test_its_overlap_is_closed_like_any_other(command: Command, model: PutModel) -> None:
    control = model(removed())
    assert command("overlap", "close", NAME, *WHY).code == 0
    assert control.secrets[NAME].overlap is None


def test_a_plan_says_that_nothing_would_begin(command: Command, model: PutModel) -> None:
    model(removed(), read_only=True)
    ended = command("plan", NAME, "--json")
    assert ended.document["plans"][0]["refused"][0]["reason"] == "unknown_secret"


def test_doctor_names_it(model: PutModel) -> None:
    found = standing_checks(standing(model(removed())), {})
    assert [one.found for one in found] == ["no policy names it any more, and it has left something open"]


def standing(model: object) -> Standing:
    return Control(model).status([NAME])[0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("late", "says"),
    [(timedelta(minutes=1), "the schedule ends it within minutes"), (timedelta(minutes=21), f"keyturn repair {NAME}")],
)
def test_doctor_leaves_an_overlap_to_the_schedule_at_first_and_to_repair_when_it_is_stuck(
    model: PutModel, late: timedelta, says: str
) -> None:
    known = standing(model(Secret(NAME, current="v2")))
    over = Overlap.model_validate(
        {"run_id": "r", "old": {"id": "v1"}, "new": {"id": "v2"}, "retire_at": datetime.now(UTC) - late}
    )
    head = known.head.model_copy(update={"overlap": over})
    (check,) = standing_checks(known.model_copy(update={"head": head}), {NAME: known.policy.digest})
    assert says in check.remedy
    assert ("repair" in check.remedy) is (late > timedelta(minutes=20))
