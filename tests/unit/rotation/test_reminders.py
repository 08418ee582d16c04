"""A credential that a person changes: reminded, waited for, held against the store, and kept; no value is ever read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from approval_world import ASKED_BY, LEAD, ApprovalWorld

from rotation.control.desk import run_id_of
from rotation.control.signals import Finding
from rotation.control.table import VERBS
from rotation.errors import Refused, Unavailable
from rotation.handwork import Made
from rotation.ledger.due import Due
from rotation.phases import Outcome, phase_named
from rotation.policy import Target
from tests.model.world import NAME, POLICY

RUN, AGAIN = "arn:run", "arn:again"
DAY_S = 86_400
FACTS = {"console": "https://console.example", "due_days": "14"}
REMINDER = replace(
    POLICY, credential="reminder", overlap_s=0, warm_up_s=0, target=Target(facts=FACTS, authority=""), owner="billing"
)
OLD = Made(id="v1", made_at="2025-12-01T00:00:00+00:00", current=True)
NEW = Made(id="v2", made_at="2026-01-02T00:00:00+00:00", current=True)


class ReminderWorld(ApprovalWorld):
    """`made`: what the store shows of its versions; nothing else of it may be touched."""

    def __init__(self) -> None:
        super().__init__(REMINDER)
        self.made = [OLD]
        functions: Any = self.desk.functions
        functions.made = lambda _secret: list(self.made)

    def done(self, version: str = "v2", actor: str = LEAD) -> dict[str, Any]:
        asked = {"secret": NAME, "version": version, "reason": "at the console", "requested_by": actor}
        said: dict[str, Any] = VERBS["reminder_done"](self.desk, asked)
        return said

    def changed(self) -> None:
        """The person puts the new one into the store."""
        self.made = [{**OLD, "current": False}, NEW]

    def ended(self, execution: str = RUN) -> str:
        """The machine goes on as it was answered: to the record, and nowhere else."""
        answer = next(said for token, said in reversed(self.tokens.answers) if token == f"token of {execution}")
        assert answer["outcome"] == Outcome.DONE
        assert self.enter(phase_named("record"), self.given(execution, requested_by=ASKED_BY))[0] == Outcome.PASSED
        self.machines.alive.discard(execution)
        return self.ledger.run(run_id_of(execution))[0].status

    def listed_reminders(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = VERBS["reminders"](self.desk, {})
        return found


@pytest.fixture
def world() -> ReminderWorld:
    return ReminderWorld()


def test_a_person_is_reminded_by_name_with_place_day_and_command(world: ReminderWorld) -> None:
    run_id = world.begin(RUN)
    (told,) = world.notices.said
    for part in (NAME, "billing", FACTS["console"], f"keyturn reminder done {NAME} --version-id"):
        assert part in told
    assert world.told.findings == [Finding.REMINDER_DUE]
    (one,) = world.listed_reminders()
    assert (one["run_id"], one["owner"], one["overdue"]) == (run_id, "billing", False)
    assert VERBS["approvals"](world.desk, {}) == []
    assert f"token of {RUN}" not in json.dumps([one, world.notices.said])


def test_a_message_that_is_not_taken_does_not_silence_the_alarm(world: ReminderWorld) -> None:
    world.notices.taken = False
    world.begin(RUN)
    assert world.told.findings == [Finding.REMINDER_DUE]


def test_what_leaked_is_said_and_is_overdue_after_a_day(world: ReminderWorld) -> None:
    world.begin(RUN, reason="leak by scanner", requested_by="event:keyturn.triggers", flags="emergency")
    (told,) = world.notices.said
    assert "asked by event:keyturn.triggers: leak by scanner" in told
    world.told.findings.clear()
    world.clock.advance(DAY_S - 60)
    world.sweep()
    assert Finding.REMINDER_OVERDUE not in world.told.findings
    world.clock.advance(60)
    world.sweep()
    assert Finding.REMINDER_OVERDUE in world.told.findings


def test_the_evidence_ends_the_run_and_is_kept_with_who_said_so(world: ReminderWorld) -> None:
    run_id = world.begin(RUN)
    world.changed()
    said = world.done()
    assert (said["status"], said["version"], said["by"], said["delivered"]) == ("done", "v2", LEAD, True)
    assert world.ended() == "succeeded"
    steps = world.ledger.run(run_id)[1]
    assert list(steps) == ["evidence"]
    facts = steps["evidence"].facts
    assert (facts["version"], facts["made_at"], facts["by"], facts["why"]) == (
        "v2",
        NEW["made_at"],
        LEAD,
        "at the console",
    )
    head = world.ledger.head(NAME)
    assert head.current is not None
    assert (head.current.id, head.run_id, head.overlap, head.version) == ("v2", "", None, run_id)
    assert world.listed_reminders() == []


@pytest.mark.parametrize(
    ("shown", "version", "reason"),
    [
        ([OLD], "v2", "evidence_unknown"),
        ([OLD, {**NEW, "current": False}], "v2", "evidence_not_current"),
        ([OLD], "v1", "evidence_not_newer"),
        ([OLD, {**NEW, "made_at": OLD["made_at"]}], "v2", "evidence_not_newer"),
    ],
    ids=["absent", "not current", "the same", "older"],
)
def test_what_the_store_does_not_show_is_no_evidence(
    world: ReminderWorld, shown: list[Made], version: str, reason: str
) -> None:
    world.begin(RUN)
    world.made = [OLD]
    world.done("v1")
    world.ended()
    again = world.begin(AGAIN)
    world.made = shown
    with pytest.raises(Refused) as caught:
        world.done(version)
    assert caught.value.reason == reason
    assert world.ledger.run(again)[1] == {}
    assert [one["run_id"] for one in world.listed_reminders()] == [again]


def test_what_was_there_before_an_emergency_is_no_evidence_also_where_no_reminder_was_answered_before(
    world: ReminderWorld,
) -> None:
    world.begin(RUN, flags="emergency")
    with pytest.raises(Refused) as caught:
        world.done(OLD["id"])
    assert caught.value.reason == "evidence_not_newer"
    world.changed()
    world.done()
    assert world.ended() == "succeeded"


def test_a_change_while_the_emergency_had_to_wait_is_evidence(world: ReminderWorld) -> None:
    asked_at = "2025-12-15T00:00:00.000000Z"
    due = Due(secret=NAME, due_at=asked_at, asked_at=asked_at, flags="emergency", name="held", started_at=asked_at)
    assert world.ledger.agenda.put(None, due)
    world.begin(RUN, flags="emergency")
    world.made = [{**OLD, "made_at": asked_at}]
    with pytest.raises(Refused):
        world.done(OLD["id"])
    world.made = [{**OLD, "made_at": "2025-12-15T00:00:01+00:00"}]
    world.done(OLD["id"])
    assert world.ended() == "succeeded"


def test_no_switch_refuses_the_evidence_of_what_has_happened_already(world: ReminderWorld) -> None:
    world.begin(RUN)
    world.changed()
    world.engage()
    assert world.done()["status"] == "done"
    head = world.ledger.head(NAME)
    assert head.current is not None
    assert head.current.id == "v2"


def test_late_is_told_at_every_look_and_waited_for_on(world: ReminderWorld) -> None:
    run_id = world.begin(RUN)
    world.told.findings.clear()
    world.clock.advance(14 * DAY_S + 1)
    for _ in range(2):
        world.sweep()
    assert world.told.findings.count(Finding.REMINDER_OVERDUE) == 2
    assert [(one["run_id"], one["overdue"]) for one in world.listed_reminders()] == [(run_id, True)]
    world.changed()
    world.done()
    world.told.findings.clear()
    world.sweep()
    assert Finding.REMINDER_OVERDUE not in world.told.findings
    assert world.ended() == "succeeded"


def test_said_twice_it_is_done_once_and_other_evidence_is_refused(world: ReminderWorld) -> None:
    world.begin(RUN)
    world.changed()
    assert world.done() == world.done()
    world.made = [NEW, Made(id="v3", made_at="2026-01-03T00:00:00+00:00", current=True)]
    with pytest.raises(Refused) as caught:
        world.done("v3")
    assert caught.value.reason == "already_answered"


def test_an_answer_that_did_not_reach_the_machine_is_told_by_the_sweep(world: ReminderWorld) -> None:
    world.begin(RUN)
    world.changed()
    world.tokens.broken = True
    assert not world.done()["delivered"]
    world.tokens.broken = False
    world.sweep()
    assert world.ended() == "succeeded"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("write", range(3), ids=["intent", "evidence", "answer"])
def test_whoever_dies_at_any_write_of_the_evidence_says_it_again_and_it_is_kept_once(
    world: ReminderWorld, write: int, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = world.begin(RUN)
    world.changed()
    rows: Any = world.ledger._rows  # where everything is written
    written, count = rows.write, 0

    def die(*writes: Any) -> None:
        nonlocal count
        count += 1
        if count == write + 1 and not after:
            raise Unavailable("died", "before the write")
        written(*writes)
        if count == write + 1:
            raise Unavailable("died", "after the write")

    monkeypatch.setattr(rows, "write", die)
    with pytest.raises(Unavailable):
        world.done()
    monkeypatch.setattr(rows, "write", written)
    assert world.done()["delivered"]
    assert world.ended() == "succeeded"
    evidence = world.ledger.run(run_id)[1]["evidence"]
    assert (evidence.facts["version"], evidence.facts["by"]) == ("v2", LEAD)
    head = world.ledger.head(NAME)
    assert head.current is not None
    assert (head.current.id, head.run_id) == ("v2", "")


def test_another_execution_of_a_run_with_evidence_goes_straight_to_its_record(world: ReminderWorld) -> None:
    run_id = world.begin(RUN)
    world.changed()
    world.done()
    world.machines.alive.discard(RUN)
    world.machines.alive.add(AGAIN)
    assert world.enter(phase_named("claim"), world.given(AGAIN, resume=run_id))[0] == Outcome.DONE


def test_a_rollback_takes_a_reminder_back(world: ReminderWorld) -> None:
    world.begin(RUN)
    VERBS["rollback"](world.desk, {"secret": NAME, "reason": "test", "requested_by": ASKED_BY})
    assert world.go_on(RUN) == "undone"
    with pytest.raises(Refused) as caught:
        world.done()
    assert caught.value.reason == "no_reminder"
    assert (world.secret.values, world.ledger.head(NAME).run_id) == ([], "")
