"""Kill switch, freeze, report-only mode: set with who and why, shown where somebody looks at night."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from command_bench import Command, PutModel
from control_model import BEGAN, ModelControl, Secret
from switch_model import WHO

from keyturn.answers import Execution

NAME, OTHER = "payments/postgres", "partners/api-token"
WHY = ("--reason", "the database refuses everybody")
FAR = "2999-12-24T18:00Z"


def put(model: PutModel) -> ModelControl:
    return model(Secret(NAME, current="v1"), Secret(OTHER, current="1"))


def test_engage_asks_nothing_and_says_who_why_and_what_follows(command: Command, model: PutModel) -> None:
    control = put(model)
    ended = command("kill-switch", "engage", *WHY)
    assert ended.code == 0
    assert control.switch.engaged
    assert f"by {WHO}: the database refuses everybody)" in ended.out
    assert "no new step begins from now on; undoing goes on" in ended.err


def test_release_is_agreed_to_first_and_names_the_halted_runs_with_both_ways_on(
    command: Command, model: PutModel
) -> None:
    control = put(model)
    run_id = control.ask("rotate", {"secret": NAME, "reason": "asked"})["result"]["run_id"]
    control.halt(run_id)
    command("kill-switch", "engage", *WHY)
    refused = command("kill-switch", "release", "--reason", "well again")
    assert refused.code == 20
    assert "kill switch is engaged" in refused.err
    assert control.switch.engaged
    ended = command("kill-switch", "release", "--reason", "well again", "--yes")
    assert ended.code == 0
    assert not control.switch.engaged
    assert f"`keyturn resume {run_id} --reason WHY` goes on" in ended.err


def test_release_writes_a_switch_anew_that_nobody_can_read(command: Command, model: PutModel) -> None:
    control = put(model)
    control.switch.unreadable = True
    ended = command("kill-switch", "release", "--reason", "looked at", "--yes")
    assert ended.code == 0
    assert "counts as engaged" in ended.err
    assert not control.switch.unreadable


def test_show_lists_what_is_in_force_and_the_changes_newest_first(command: Command, model: PutModel) -> None:
    put(model)
    command("kill-switch", "engage", *WHY)
    command("kill-switch", "release", "--reason", "well again", "--yes")
    shown = command("kill-switch", "show").out
    assert "nothing stops runs" in shown
    assert shown.index("release") < shown.index("engage")
    assert "the database refuses everybody" in shown


def test_an_unreadable_switch_is_told_as_engaged_by_show_and_by_status(command: Command, model: PutModel) -> None:
    put(model).switch.unreadable = True
    shown = command("kill-switch", "show")
    assert shown.code == 15
    assert "docs/runbooks/kill-switch.md" in shown.err
    status = command("status")
    assert status.code == 0
    assert status.out.splitlines()[0].startswith("switch_unreadable: the switch cannot be read")


def test_a_freeze_of_the_stack_is_shown_with_its_end_and_who_set_it_though_others_changed_the_switch_since(
    command: Command, model: PutModel
) -> None:
    control = put(model)
    ended = command("freeze", "--all", "--until", FAR, "--reason", "holidays")
    assert ended.code == 0
    assert ("freeze", {"secrets": [], "until": "2999-12-24T18:00:00Z", "reason": "holidays"}) in control.fields
    command("report-only", "on", "--reason", "trying policies")
    top = command("status").out.splitlines()
    assert top[0].startswith("report_only: the stack only reports")
    assert "trying policies" in top[0]
    assert top[1].startswith("frozen: the stack is frozen until 2999-12-24 18:00:00Z")
    assert "holidays" in top[1]
    assert "keyturn unfreeze --all" in top[1]


def test_a_freeze_of_one_secret_stops_that_one_only(command: Command, model: PutModel) -> None:
    put(model)
    command("freeze", NAME, "--for", "24h", "--reason", "the quarter closes")
    plans = {one["secret"]: one["refused"] for one in command("plan", "--json").document["plans"]}
    assert [refused["reason"] for refused in plans[NAME]] == ["frozen"]
    assert f"keyturn unfreeze {NAME}" in plans[NAME][0]["remedy"]
    assert plans[OTHER] == []
    command("unfreeze", NAME, "--reason", "closed")
    assert command("plan", NAME, "--json").document["plans"][0]["refused"] == []


def test_a_freeze_for_a_length_ends_that_long_from_now(command: Command, model: PutModel) -> None:
    control = put(model)
    before = datetime.now(UTC)
    command("freeze", NAME, "--for", "2d", "--reason", "x")
    ends = datetime.fromisoformat(control.switch.freezes[NAME]["until"])
    # the command writes whole seconds
    assert -1 <= (ends - before).total_seconds() - 2 * 86_400 < 60


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--until", "tomorrow"], "write it like 2026-12-24T18:00Z"),
        (["--until", "2999-12-24T18:00"], "names no zone: write 2999-12-24T18:00Z for UTC"),
        (["--until", "2020-01-01T00:00Z"], "has passed"),
        (["--until", FAR, "--for", "1h"], "give only one"),
        ([], "say when it ends"),
        (["--for", "a while"], "write it like 30min, 24h or 2d"),
    ],
)
def test_a_freeze_without_a_clear_end_says_how_to_write_one(
    command: Command, model: PutModel, arguments: list[str], words: str
) -> None:
    control = put(model)
    ended = command("freeze", NAME, "--reason", "x", *arguments)
    assert ended.code == 2
    assert words in " ".join(ended.err.split())
    assert control.asked == []


def test_a_freeze_of_an_unknown_secret_freezes_none_of_those_named_with_it(command: Command, model: PutModel) -> None:
    control = put(model)
    ended = command("freeze", NAME, "payments/mysql", "--for", "1h", "--reason", "x")
    assert ended.code == 3
    assert control.switch.freezes == {}


@pytest.mark.parametrize("verb", ["freeze", "unfreeze"])
def test_a_freeze_says_which_secrets_or_all(command: Command, model: PutModel, verb: str) -> None:
    put(model)
    assert command(verb, "--reason", "x").code == 2
    assert command(verb, NAME, "--all", "--reason", "x").code == 2


@pytest.mark.parametrize(
    "verb", [["kill-switch", "engage"], ["kill-switch", "release"], ["report-only", "on"], ["report-only", "off"]]
)
def test_no_switch_is_set_without_a_reason(command: Command, model: PutModel, verb: list[str]) -> None:
    control = put(model)
    assert command(*verb, "--yes" if "release" in verb else "--json").code == 2
    assert command(*verb, "--reason", "").code == 2
    assert control.asked == []


def test_report_only_changes_nothing_until_it_is_off_again(command: Command, model: PutModel) -> None:
    control = put(model)
    command("report-only", "on", "--reason", "trying policies")
    ended = command("rotate", NAME)
    assert ended.code == 15
    assert "reported: report_only" in ended.out
    assert control.secrets[NAME].current == "v1"
    command("report-only", "off", "--reason", "they are right")
    assert command("rotate", NAME).code == 0


def test_plan_says_that_the_kill_switch_would_stop_a_run_and_who_engaged_it(command: Command, model: PutModel) -> None:
    put(model)
    command("kill-switch", "engage", *WHY)
    ended = command("plan", NAME)
    assert f"{NAME}: would be refused" in ended.out
    assert f"kill_switch: the kill switch is engaged (since 2026-01-02 03:04:05Z by {WHO}" in ended.out


def test_status_says_nothing_of_switches_when_none_is_in_force(command: Command, model: PutModel) -> None:
    put(model)
    assert command("status").out.splitlines()[0].startswith("credential")
    assert command("status", "--json").document["in_force"] == []


def test_status_lists_a_halted_run_with_both_ways_on_though_a_refused_one_came_after_it(
    command: Command, model: PutModel
) -> None:
    control = put(model)
    run_id = control.ask("rotate", {"secret": NAME, "reason": "asked"})["result"]["run_id"]
    control.halt(run_id)
    control.ask("rotate", {"secret": NAME, "reason": "again"})
    assert control.secrets[NAME].runs[-1]["failure"]["reason"] == "run_unfinished"
    line = next(line for line in command("status").out.splitlines() if "is halted (kill_switch)" in line)
    assert f"`keyturn resume {run_id} --reason WHY` goes on" in line
    assert f"`keyturn rollback {NAME} --reason WHY` undoes it" in line
    plan = command("plan", NAME, "--json").document["plans"][0]
    assert [refused["reason"] for refused in plan["refused"]] == ["run_unfinished"]


def test_status_tells_a_run_that_lost_its_execution_from_one_that_works(command: Command, model: PutModel) -> None:
    control = put(model)
    run_id = control.ask("rotate", {"secret": NAME, "reason": "asked"})["result"]["run_id"]
    control.secrets[NAME].claimed_by, control.secrets[NAME].stuck = run_id, True
    assert "lost its execution" not in command("status").out
    control.executions[control.run_of(run_id)["execution"]] = Execution(status="ABORTED")
    assert f"keyturn repair {NAME}" in command("status").out


def test_status_tells_a_run_that_could_not_be_undone(command: Command, model: PutModel) -> None:
    control = put(model)
    run_id = control.ask("rotate", {"secret": NAME, "reason": "asked"})["result"]["run_id"]
    control.halt(run_id)
    control.run_of(run_id).update(status="stuck", failure={"phase": "bake", "reason": "r", "not_undone": "demote"})
    shown = command("status").out
    assert "could not be undone (demote)" in shown
    assert f"keyturn repair {NAME}" in shown
    assert "is halted" not in shown


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        (Secret(NAME, current="v2", retired={"disposed": "kept"}), "rollback: to v1 until the next rotation (store)"),
        (
            Secret(NAME, current="v2", retired={"emergency": True}),
            "rollback: not possible: the version before was replaced in an emergency (old_leaked)",
        ),
        (
            Secret(NAME, current="v2", retired=None),
            "rollback: not possible: no version before the current one is known (nothing_to_roll_back)",
        ),
    ],
)
def test_status_says_how_far_back_a_rollback_leads(
    command: Command, model: PutModel, secret: Secret, words: str
) -> None:
    if secret.retired is not None:
        versions = {"old": {"id": "v1"}, "new": {"id": "v2"}}
        secret.retired |= {"run_id": "r", "retire_at": BEGAN.isoformat(), **versions}
    model(secret)
    assert f"{NAME}  {words}" in command("status").out


def test_a_claim_of_awss_own_rotation_is_no_execution_that_could_be_lost(command: Command, model: PutModel) -> None:
    control = put(model)
    run_id = control.ask("rotate", {"secret": NAME, "reason": "asked"})["result"]["run_id"]
    control.run_of(run_id)["execution"] = "native:token"
    control.secrets[NAME].claimed_by, control.secrets[NAME].stuck = run_id, True
    assert "lost its execution" not in command("status").out
    assert [one["reason"] for one in command("plan", NAME, "--json").document["plans"][0]["refused"]] == ["claim_held"]
    assert "execution" not in control.asked


def test_release_does_not_depend_on_that_the_secrets_can_be_read(
    command: Command, model: PutModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = put(model)
    control.switch.engaged = True
    monkeypatch.setattr(control, "_status", lambda secrets: [{"secret": NAME}])
    ended = command("kill-switch", "release", "--reason", "the ledger is damaged", "--yes")
    assert ended.code == 0
    assert "what it stops is not known" in ended.err
    assert not control.switch.engaged


@pytest.mark.parametrize(
    ("verb", "says"),
    [
        ("report-only on", "rollback`, or clears with `repair`, is done all the same"),
        ("rollback", "Nothing stops it, neither the kill switch nor a freeze nor report-only"),
        ("repair", "What it takes back or clears is done also while the kill switch, a freeze or report-only is on"),
    ],
)
def test_the_help_says_what_report_only_does_not_stop(command: Command, verb: str, says: str) -> None:
    assert says in " ".join(command(*verb.split(), "--help").out.replace("│", " ").split())


def test_a_rollback_is_done_while_the_stack_only_reports(command: Command, model: PutModel) -> None:
    control = model(Secret(NAME, current="v1", overlap_s=4 * 3_600))
    assert command("rotate", NAME).code == 0
    control.ask("report_only", {"on": True, "reason": "trying"})
    assert command("rotate", NAME, "--reason", "again").code == 15
    ended = command("rollback", NAME, "--yes", "--reason", "back", "--json")
    assert (ended.code, ended.document["ok"]) == (0, True)
