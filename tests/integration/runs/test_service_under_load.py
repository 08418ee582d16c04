"""A service at work while the deployed stack rotates its password, waits for its word, and has the old one refused.

Everything is real but the account: the machines start the functions, the event is theirs, the service hears it in a
process of its own, and its acknowledgement goes through the endpoint to the gate. Beside it works the same service with
its password read once, so that it shows what the first is spared. No test here depends on how long an answer took.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from runs_catalogue import altered
from runs_credentials import POSTGRES
from runs_load import Answer, Load, posting
from runs_people import ACCOUNT, session
from runs_service import booked, environment, health, notify, serving, sessions
from runs_stack import Ended, Stack, until
from runs_stores import AwsReader

pytestmark = [pytest.mark.sandbox, pytest.mark.openbao, pytest.mark.postgres]

NAME = POSTGRES.name
SERVICE = {"name": "ledger", "kind": "client", "lead_s": 1, "role": f"{ACCOUNT}:role/payments-ledger"}
# What is promised, and what is sent: a pause of the machine can be made up for.
PROMISED_PER_S, SENT_PER_S = 200, 240
POOLED, WORKERS = 50, 24
# Read once: a smaller one, whose requests wait a second each once its password is refused.
ONCE_POOLED, ONCE_PER_S = 5, 20
# Long enough for a transaction of half of it to be seen, and an acknowledgement after that.
OVERLAP_S = 6
CLOSING_S = OVERLAP_S / 2
NOTIFIED_PER_S = 20
# After the old password is refused the service goes on for so many requests.
AFTERWARDS = 400


@dataclass(frozen=True, kw_only=True)
class Story:
    """`before`, `then`: sessions of each user at the start, and when the service had acknowledged. rows: booked."""

    load: Load
    closings: Load
    notes: Load
    once: Load
    rotated: Ended
    retired: Ended
    shown: dict[str, Any]
    before: dict[str, int]
    then: dict[str, int]
    health: dict[str, Any]
    rows: int

    def at(self, step: str, moment: str) -> datetime:
        run = self.retired if step in ("revoke", "prove") else self.rotated
        return datetime.fromisoformat(run.step(step)[moment])


@pytest.fixture(scope="module")
def story(stack: Stack, lives: object) -> Iterator[Story]:
    stack.settle(NAME)
    given = environment(stack, session(stack, "payments-ledger", "i-1", "reader"), NAME, "ledger")
    waiting = {"consumers": [SERVICE], "acknowledge_s": 3_600, "invalidate": ["redis"], "overlap_s": OVERLAP_S}
    rows = booked(stack, _value(stack))
    with ExitStack() as opened:
        opened.enter_context(altered(stack, NAME, lambda policy: policy.update(waiting)))
        port = opened.enter_context(serving("service.py", given, POOLED))
        once_port = opened.enter_context(serving("read_once.py", given, ONCE_POOLED))
        _acknowledged(stack, stack.head(NAME)["current"]["id"])
        before = sessions(stack)
        load = Load(lambda: posting(port, "/transfers"), per_s=SENT_PER_S, workers=WORKERS)
        # one after the other, without a pause: at every moment one is open
        closings = Load(lambda: posting(port, "/closings", {"seconds": CLOSING_S}), per_s=SENT_PER_S, workers=1)
        notes = Load(lambda: nullcontext(partial(_noted, stack)), per_s=NOTIFIED_PER_S, workers=1)
        once = Load(lambda: posting(once_port, "/transfers"), per_s=ONCE_PER_S, workers=ONCE_POOLED)
        with load.running(), closings.running(), notes.running(), once.running():
            closings.more(1)
            rotated = stack.rotate(NAME)
            shown = _acknowledged(stack, rotated.run["run_id"])
            then = sessions(stack)
            retired = stack.retire(NAME)
            load.more(AFTERWARDS)
            once.more(ONCE_POOLED)
        said = _heard(port, len(notes.answers))
        yield Story(
            load=load,
            closings=closings,
            notes=notes,
            once=once,
            rotated=rotated,
            retired=retired,
            shown=shown,
            before=before,
            then=then,
            health=said,
            rows=booked(stack, _value(stack)) - rows,
        )


def _value(stack: Stack) -> str:
    return stack.remember(AwsReader(stack, NAME).live().text)


def _noted(stack: Stack, number: int) -> int:
    notify(stack, number)
    return 200


def _acknowledged(stack: Stack, version: str) -> dict[str, Any]:
    """What the ledger knows of the service once it has acknowledged the version.

    What Redis did not take within its second, on a machine under such load, is sent again by the sweep after five
    minutes; nothing calls the sweep here, so its part is played.
    """

    def look() -> dict[str, Any] | None:
        if stack.verb("undelivered", secrets=[NAME]):
            stack.verb("replay", secrets=[NAME])
        (one,) = stack.verb("consumers", secret=NAME)["consumers"]
        versions = {instance["version"] for instance in one["instances"] if instance["live"]}
        return dict(one) if versions == {version} else None

    return until(look, "the service's acknowledgement")


def _heard(port: int, wanted: int) -> dict[str, Any]:
    return until(lambda: said if (said := health(port))["heard"] >= wanted else None, f"{wanted} notifications")


def _during(answers: list[Answer], opens: datetime, closes: datetime) -> list[Answer]:
    return [one for one in answers if opens <= one.began and one.ended <= closes]


def test_no_request_fails_through_rotation_retirement_and_proof_of_death(story: Story) -> None:
    assert (story.rotated.status, story.retired.status) == ("SUCCEEDED", "SUCCEEDED")
    assert story.retired.step("prove")["facts"]["proof"] == "dead"
    assert (story.load.failed, story.closings.failed) == ([], [])
    assert story.rows >= len(story.load.answers) + 2 * len(story.closings.answers)


def test_the_promised_rate_was_reached_over_the_whole_of_it(story: Story) -> None:
    reached = len(story.load.answers) / story.load.seconds
    assert reached >= PROMISED_PER_S, f"{len(story.load.answers)} answers in {story.load.seconds:.1f} s"


def test_requests_were_answered_at_every_stage(story: Story) -> None:
    promoted, revoked = story.at("promote", "outcome_at"), story.at("revoke", "intent_at")
    proven, last = story.at("prove", "outcome_at"), story.load.answers[-1].ended
    for opens, closes in ((story.load.answers[0].began, promoted), (promoted, revoked), (revoked, proven)):
        assert _during(story.load.answers, opens, closes)
    assert len(_during(story.load.answers, proven, last)) >= AFTERWARDS // 2


def test_a_transaction_of_half_the_overlap_was_open_when_the_label_moved_and_ended_well(story: Story) -> None:
    begins, ends = story.at("promote", "intent_at"), story.at("promote", "outcome_at")
    (across,) = [one for one in story.closings.answers if one.began < begins and one.ended > ends]
    assert across.status == 200
    assert (across.ended - across.began).total_seconds() >= CLOSING_S


def test_the_service_acknowledged_when_all_its_pooled_and_listening_connections_had_moved(story: Story) -> None:
    (old,) = story.before
    assert story.before[old] == POOLED + 1 + ONCE_POOLED
    # the password that was read once is all that is left of it
    assert story.then[old] == ONCE_POOLED
    assert story.retired.step("revoke")["facts"]["sessions_ended"] == str(ONCE_POOLED)
    assert story.retired.step("acknowledge")["facts"]["consumers"] == "ledger 1 of 1: acknowledged"
    assert {one["actor"] for one in story.shown["instances"] if one["live"]} == {
        "arn:aws:sts::000000000000:assumed-role/payments-ledger/i-1"
    }


def test_no_notification_was_lost_when_the_listening_connection_moved(story: Story) -> None:
    assert story.health["heard"] == len(story.notes.answers) > NOTIFIED_PER_S
    assert story.health["version"] == story.rotated.run["run_id"]
    # it heard of the rotation, and was refused nothing
    assert story.health["refetches"] == 0


def test_the_same_service_with_its_password_read_once_works_until_the_revocation_and_never_after(story: Story) -> None:
    answers, revoking, revoked = story.once.answers, story.at("revoke", "intent_at"), story.at("revoke", "outcome_at")
    early, late = [one for one in answers if one.ended < revoking], [one for one in answers if one.began > revoked]
    assert {one.status for one in early} == {200}
    assert {one.status for one in late} == {503}
