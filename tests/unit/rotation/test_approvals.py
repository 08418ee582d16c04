"""A run whose policy asks for it waits until somebody agrees who did not ask for it; nothing is minted before."""

from __future__ import annotations

from dataclasses import replace

import pytest
from approval_world import APPROVED, ASKED_BY, DUTY, EXPIRES_S, LEAD, ApprovalWorld, session

from rotation.control.table import VERBS
from rotation.errors import KeyturnError
from rotation.ledger.approvals import Request
from rotation.phases import Outcome
from rotation.policy import Window
from tests.model.world import NAME, POLICY, World

RUN = "arn:run"


@pytest.fixture
def world() -> ApprovalWorld:
    return ApprovalWorld()


def refused(world: ApprovalWorld, verb: str, run_id: str, actor: str = LEAD) -> str:
    before = world.tokens.answers[:]
    with pytest.raises(KeyturnError) as caught:
        world.say(verb, run_id, actor)
    assert world.tokens.answers == before or caught.value.reason == "approval_expired"
    return caught.value.reason


def test_a_run_waits_with_nothing_minted_and_goes_on_when_an_approver_agrees(world: ApprovalWorld) -> None:
    run_id = world.begin(RUN)
    assert (world.tokens.answers, world.secret.values) == ([], [])
    said = world.say("approve", run_id)
    assert (said["status"], said["by"], said["why"], said["outcome"]) == ("approved", LEAD, "looked at it", "passed")
    assert world.tokens.answers == [(f"token of {RUN}", {"outcome": "passed", "reason": ""})]
    assert world.go_on(RUN) == "succeeded"
    assert world.current()


def test_a_denied_run_fails_with_nothing_minted_and_its_secret_is_free(world: ApprovalWorld) -> None:
    run_id = world.begin(RUN)
    world.say("deny", run_id, reason="not before the quarter closes")
    assert world.go_on(RUN) == "failed"
    assert world.failure(run_id) == {"phase": "approve", "reason": "denied"}
    assert (world.secret.values, world.ledger.head(NAME).run_id) == ([], "")
    assert world.begin("arn:another")


def test_a_run_without_approval_in_its_policy_waits_for_nobody_and_no_row_is_read() -> None:
    world = World()
    reads: list[str] = []
    world.ledger.approvals.of = reads.append  # type: ignore[method-assign, func-returns-value]
    assert world.rotate(RUN) == "succeeded"
    assert reads == []


def test_nobody_answers_in_time_and_the_sweep_ends_the_run(world: ApprovalWorld) -> None:
    run_id = world.begin(RUN)
    world.clock.advance(EXPIRES_S - 1)
    world.sweep()
    assert world.tokens.answers == []
    world.clock.advance(1)
    world.sweep()
    world.sweep()
    assert [said["reason"] for _, said in world.tokens.answers] == ["approval_expired"]
    assert world.go_on(RUN) == "failed"
    assert world.failure(run_id)["reason"] == "approval_expired"
    assert world.listed() == []


def test_an_answer_that_comes_too_late_is_refused_and_ends_the_run_at_once(world: ApprovalWorld) -> None:
    run_id = world.begin(RUN)
    world.clock.advance(EXPIRES_S)
    assert refused(world, "approve", run_id) == "approval_expired"
    assert [said["reason"] for _, said in world.tokens.answers] == ["approval_expired"]


@pytest.mark.parametrize(
    "actor",
    [session("lead", "alice"), session("lead", "Alice")],
    ids=["the same name under a role", "in another case"],
)
def test_whoever_asked_for_the_run_cannot_agree_to_it(world: ApprovalWorld, actor: str) -> None:
    run_id = world.begin(RUN)
    assert refused(world, "approve", run_id, actor) == "requester_cannot_approve"


@pytest.mark.parametrize("asked_by", [LEAD, session("operator", "bob")], ids=["the session", "another session"])
def test_a_session_that_asked_cannot_agree_under_any_role(world: ApprovalWorld, asked_by: str) -> None:
    run_id = world.begin(RUN, requested_by=asked_by)
    assert refused(world, "approve", run_id, LEAD) == "requester_cannot_approve"
    assert world.say("approve", run_id, DUTY)["status"] == "approved"


@pytest.mark.parametrize("verb", ["approve", "deny"])
@pytest.mark.parametrize(
    "actor",
    [
        session("operator", "bob"),
        "arn:aws:iam::000000000000:user/lead",
        "arn:aws:iam::000000000000:root",
        "arn:aws:iam::000000000000:role/lead",
        session("team/lead", "bob"),
        "lead",
    ],
)
def test_only_a_session_of_a_role_that_the_policy_names_may_answer(world: ApprovalWorld, actor: str, verb: str) -> None:
    run_id = world.begin(RUN)
    assert refused(world, verb, run_id, actor) == "not_an_approver"


@pytest.mark.parametrize("change", [{"overlap_s": 1}, {"approval": None}], ids=["overlap", "no approval any more"])
def test_a_policy_that_was_changed_meanwhile_is_not_agreed_to(world: ApprovalWorld, change: dict[str, object]) -> None:
    run_id = world.begin(RUN)
    world.deploy(replace(APPROVED, **change))  # type: ignore[arg-type]
    assert refused(world, "approve", run_id) == "policy_changed"
    assert world.say("deny", run_id)["status"] == "denied"


def test_a_policy_that_was_removed_meanwhile_is_not_agreed_to(world: ApprovalWorld) -> None:
    run_id = world.begin(RUN)
    world.deploy()
    assert refused(world, "approve", run_id) == "policy_changed"


def test_a_run_that_nobody_was_asked_about_cannot_be_answered(world: ApprovalWorld) -> None:
    assert refused(world, "approve", "0" * 32) == "approval_unknown"


def test_of_two_answers_the_first_one_counts(world: ApprovalWorld) -> None:
    run_id = world.begin(RUN)
    world.say("approve", run_id, LEAD)
    assert refused(world, "approve", run_id, DUTY) == "already_answered"
    assert refused(world, "deny", run_id, LEAD) == "already_answered"
    assert [said["outcome"] for _, said in world.tokens.answers] == ["passed"]


def test_of_two_answers_at_the_same_moment_one_is_written(
    world: ApprovalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = world.begin(RUN)
    seen: Request | None = world.ledger.approvals.of(run_id)
    world.say("deny", run_id, DUTY)
    # the approver's look was before the other's write
    monkeypatch.setattr(world.ledger.approvals, "of", lambda _: seen)
    assert refused(world, "approve", run_id, LEAD) == "already_answered"
    monkeypatch.undo()
    assert [said["reason"] for _, said in world.tokens.answers] == ["denied"]
    assert world.ledger.approvals.last(NAME) is None


def test_the_same_person_may_say_it_again_and_is_heard_once(world: ApprovalWorld) -> None:
    run_id = world.begin(RUN)
    assert world.say("approve", run_id) == world.say("approve", run_id)
    assert len(world.tokens.answers) == 1


@pytest.mark.parametrize("again", ["the person", "the sweep"])
def test_an_answer_that_the_machine_did_not_hear_is_told_again(world: ApprovalWorld, again: str) -> None:
    run_id = world.begin(RUN)
    world.tokens.broken = True
    assert not world.say("approve", run_id)["delivered"]
    world.tokens.broken = False
    if again == "the person":
        assert world.say("approve", run_id)["delivered"]
    else:
        world.sweep()
    world.sweep()
    assert [said["outcome"] for _, said in world.tokens.answers] == ["passed"]
    assert world.go_on(RUN) == "succeeded"


def test_what_comes_first_to_expire_is_listed_first_with_the_policy_and_the_one_before(world: ApprovalWorld) -> None:
    world.say("approve", world.begin(RUN))
    world.go_on(RUN)
    stricter = replace(APPROVED, overlap_s=1)
    world.deploy(stricter)
    run_id = world.begin("arn:next", reason="left the company")
    (one,) = world.listed()
    assert (one["run_id"], one["requested_by"], one["reason"]) == (run_id, ASKED_BY, "left the company")
    assert one["approvers"] == ["lead", "duty"]
    assert (one["document"], one["digest"]) == (stricter.document(), stricter.digest())
    assert (one["last_document"], one["last"]["digest"], one["last"]["by"]) == (
        APPROVED.document(),
        APPROVED.digest(),
        LEAD,
    )


def test_the_token_is_in_no_answer_message_or_repr(world: ApprovalWorld) -> None:
    run_id = world.begin(RUN)
    assert "waits for approval" in world.shown()
    assert "token of" not in world.shown() + repr(world.ledger.approvals.of(run_id))
    assert "token of" not in str(world.say("approve", run_id))
    assert "token of" not in str(VERBS["run"](world.desk, {"run_id": run_id}))


def test_a_run_under_way_and_its_secret_say_that_they_wait(world: ApprovalWorld) -> None:
    run_id = world.begin(RUN)
    for shown in (VERBS["run"](world.desk, {"run_id": run_id}), VERBS["status"](world.desk, {"secrets": [NAME]})[0]):
        assert (shown["approval"]["status"], shown["approval"]["approvers"]) == ("waiting", ["lead", "duty"])


def test_people_are_told_once_and_again_where_the_message_was_not_taken(world: ApprovalWorld) -> None:
    world.notices.taken = False
    run_id = world.begin(RUN)
    world.notices.taken = True
    for _ in range(2):
        world.wait(RUN, run_id)
    assert len(world.notices.said) == 2


@pytest.mark.parametrize("flags", ["emergency", "break_glass", "emergency break_glass"])
def test_neither_an_emergency_nor_break_glass_passes_it(world: ApprovalWorld, flags: str) -> None:
    world.begin(RUN, flags=flags)
    assert world.listed()[0]["run_id"]


WINDOW = replace(APPROVED, window=Window(opens=0, hours=2))


@pytest.mark.parametrize(
    ("asked_by", "flags", "after_s", "outcome"),
    [
        ("sweep", "", 3_000, "passed"),
        ("sweep", "", 9_000, "window_closed"),
        (ASKED_BY, "", 3_000, "passed"),
        (ASKED_BY, "", 9_000, "window_closed"),
        (ASKED_BY, "emergency", 9_000, "passed"),
        (ASKED_BY, "break_glass", 9_000, "passed"),
    ],
)
def test_a_run_begins_within_its_window_or_not_at_all_but_for_what_passes_it(
    asked_by: str, flags: str, after_s: int, outcome: str
) -> None:
    assert WINDOW.approval
    world = ApprovalWorld(POLICY)
    # a first value waits for no window when a person asks for it
    assert world.rotate("arn:first") == "succeeded"
    world.deploy(replace(WINDOW, approval=replace(WINDOW.approval, expires_s=86_400)))
    world.clock.moment = world.clock.moment.replace(hour=0, minute=0, second=0)
    run_id = world.begin(RUN, requested_by=asked_by, flags=flags)
    world.clock.advance(after_s)
    said = world.say("approve", run_id)
    assert (said["outcome"], said["cause"]) == (
        (Outcome.PASSED, "") if outcome == "passed" else (Outcome.FAILED, outcome)
    )
    assert world.go_on(RUN) == ("succeeded" if outcome == "passed" else "failed")


@pytest.mark.parametrize(("asked_by", "cause"), [("sweep", "window_closed"), (ASKED_BY, "")])
def test_a_first_value_that_nobody_asked_for_waits_for_its_window(asked_by: str, cause: str) -> None:
    assert WINDOW.approval
    world = ApprovalWorld(replace(WINDOW, approval=replace(WINDOW.approval, expires_s=86_400)))
    world.clock.moment = world.clock.moment.replace(hour=0, minute=0, second=0)
    run_id = world.begin(RUN, requested_by=asked_by)
    world.clock.advance(9_000)
    assert world.say("approve", run_id)["cause"] == cause


def test_the_policy_of_other_worlds_asks_nobody() -> None:
    assert POLICY.approval is None
