"""Consumers are told what is current, after it is, at least once, under one id; and no run hangs on their hearing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from function_world import TOKEN, FunctionWorld

from rotation.consumers.channel import FAILED, SENT
from rotation.consumers.event import Event, Notice
from rotation.context import Context
from rotation.contract import Verdict
from rotation.control import replay, verbs
from rotation.control.desk import run_id_of
from rotation.control.signals import Finding
from rotation.control.table import VERBS
from rotation.errors import Refused, Unavailable
from rotation.handlers.native import NativeRotation
from rotation.ledger.outbox import FIRST_PAUSE, LONGEST_PAUSE
from rotation.lineage import made_by
from rotation.phases import TELLING, phase_named
from rotation.steps import STEPS, publish
from tests.model.store import MemoryStore
from tests.model.world import NAME, OVERLAP_S, POLICY, ModelCatalogue, World

CHANNELS = ("redis", "sqs")
WHO = {"requested_by": "on-call", "reason": "consumers fail"}


class Channels:
    """`broken` channels fail; dies: the invocation is gone after it has sent."""

    stack = "local"

    def __init__(self, world: World) -> None:
        self._world = world
        self.told: list[Notice] = []
        self.currents: list[str] = []
        self.broken: set[str] = set()
        self.dies = 0

    def announce(self, notice: Notice, channels: Iterable[str]) -> Mapping[str, str]:
        self.told.append(notice)
        self.currents.append(str(self._world.secret.current))
        if self.dies:
            self.dies -= 1
            raise Unavailable("gone", "the invocation is gone")
        return {name: f"{FAILED}down" if name in self.broken else SENT for name in channels}

    @property
    def events(self) -> list[Event]:
        return [notice.event for notice in self.told]


class TellingWorld(World):
    """A world whose policy announces new versions."""

    def __init__(self) -> None:
        super().__init__()
        self.channels = Channels(self)
        policy = replace(POLICY, invalidate=CHANNELS)
        self.desk = replace(self.desk, catalogue=ModelCatalogue({NAME: policy}))  # type: ignore[arg-type]

    def context(self, run_id: str) -> Context:
        return replace(super().context(run_id), announcer=self.channels)

    def sweep(self) -> list[str]:
        return replay.tell_again(self.desk)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> TellingWorld:
    # a rollback needs a store that keeps the old version
    monkeypatch.setattr(MemoryStore, "dispose", lambda *_: "kept")
    made = TellingWorld()
    assert made.rotate("arn:first") == "succeeded"
    made.clock.advance(1)
    return made


def facts_of(world: World, execution: str, step: str) -> dict[str, str]:
    facts = world.ledger.run(run_id_of(execution))[1][step].facts
    return {name: facts[name] for name in CHANNELS}


def test_each_version_is_told_by_the_id_of_the_run_that_made_it_once_readers_get_it(world: TellingWorld) -> None:
    world.rotate("arn:2")
    first, second = world.channels.told
    assert [(n.event, n.version, n.store_version) for n in (first, second)] == [
        (Event.PROMOTED, run_id_of("arn:first"), "1"),
        (Event.PROMOTED, run_id_of("arn:2"), "2"),
    ]
    assert world.channels.currents == ["1", "2"]
    assert first.sequence < second.sequence
    assert facts_of(world, "arn:2", "publish") == {"redis": SENT, "sqs": SENT}
    assert world.ledger.outbox.of(NAME) == []


def test_a_policy_that_announces_nothing_has_no_step_and_no_call_for_it() -> None:
    world = World()
    assert world.rotate("arn:first") == "succeeded"
    _, steps = world.ledger.run(run_id_of("arn:first"))
    assert not steps.keys() & TELLING
    assert set(steps) == {"stage", "apply", "test", "promote", "health"}


def test_a_promotion_is_recorded_and_owed_before_consumers_are_told(world: TellingWorld) -> None:
    seen: list[Any] = []

    def announce(*_: object) -> Mapping[str, str]:
        seen.append((world.ledger.head(NAME).current, [one.step for one in world.ledger.outbox.of(NAME)]))
        return {}

    world.channels.announce = announce  # type: ignore[method-assign]
    world.rotate("arn:2")
    ((current, owed),) = seen
    assert (current.id, owed) == ("2", ["publish"])


def test_channels_that_fail_roll_nothing_back_and_are_told_again_until_they_have_it(world: TellingWorld) -> None:
    world.channels.broken = {"redis"}
    assert world.rotate("arn:2") == "succeeded"
    assert facts_of(world, "arn:2", "publish") == {"redis": "failed:down", "sqs": SENT}
    assert world.sweep() == [], "not due yet"
    for attempt in range(3):
        world.clock.advance(LONGEST_PAUSE.total_seconds())
        assert world.sweep() == [NAME]
        assert world.told.findings == [Finding.UNDELIVERED] * attempt, "a repeat that failed is told, the first is not"
        assert world.sweep() == [], "put off"
    world.channels.broken.clear()
    world.clock.advance(LONGEST_PAUSE.total_seconds())
    assert world.sweep() == [NAME]
    assert world.ledger.outbox.of(NAME) == []
    assert len({notice.id for notice in world.channels.told[1:]}) == 1


def test_a_crash_after_the_promotion_is_made_up_for_by_whoever_resumes_under_the_same_id(world: TellingWorld) -> None:
    world.channels.dies = 1
    with pytest.raises(Unavailable):
        world.rotate("arn:2")
    assert world.rotate("arn:3", resume=run_id_of("arn:2")) == "succeeded"
    _, died, resumed = world.channels.told
    run, steps = world.ledger.run(run_id_of("arn:2"))
    assert run.epoch > steps["promote"].epoch, "it was taken over"
    assert died == resumed
    assert died.id == resumed.id


def test_an_invocation_that_keeps_dying_stops_trying_and_leaves_it_to_the_sweep(world: TellingWorld) -> None:
    world.channels.dies = publish.ATTEMPTS
    for phase in ("claim", "prepare"):
        world.enter(phase_named(phase), "arn:2")
    for _ in range(publish.ATTEMPTS):
        with pytest.raises(Unavailable):
            world.enter(phase_named("promote"), "arn:2")
    assert world.enter(phase_named("promote"), "arn:2") == ("passed", "")
    assert facts_of(world, "arn:2", "publish") == dict.fromkeys(CHANNELS, "failed:not_tried")
    world.clock.advance(FIRST_PAUSE.total_seconds())
    assert world.sweep() == [NAME]
    assert len({notice.id for notice in world.channels.told[1:]}) == 1


def test_a_run_that_dies_between_promotion_and_telling_is_told_of_by_the_sweep(
    world: TellingWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for phase in ("claim", "prepare"):
        world.enter(phase_named(phase), "arn:2")
    with monkeypatch.context() as patch:
        # it is gone once the promotion is recorded, before it says what it is about to tell
        patch.setitem(STEPS, "publish", replace(STEPS["publish"], intend=_gone))
        with pytest.raises(Unavailable):
            world.enter(phase_named("promote"), "arn:2")
    assert "publish" not in world.ledger.run(run_id_of("arn:2"))[1]
    world.clock.advance(FIRST_PAUSE.total_seconds())
    world.sweep()
    assert (world.channels.told[-1].version, world.ledger.outbox.of(NAME)) == (run_id_of("arn:2"), [])


def _gone(context: Context) -> dict[str, str]:
    assert context.ledger.head(NAME).current == context.live
    raise Unavailable("gone", "the invocation is gone")


def test_what_is_taken_back_is_told_under_the_name_of_what_is_current_again(world: TellingWorld) -> None:
    world.target.broken["check"] = Verdict.REFUSED
    assert world.rotate("arn:2") == "failed"
    assert world.channels.events == [Event.PROMOTED, Event.PROMOTED, Event.ROLLED_BACK]
    back = world.channels.told[-1]
    assert (back.version, back.store_version) == (run_id_of("arn:first"), "1")
    assert back.sequence == world.channels.told[1].sequence


def test_a_rollback_and_both_retirements_are_told(world: TellingWorld) -> None:
    world.rotate("arn:2")
    world.clock.advance(1)
    verbs.rollback(world.desk, NAME, WHO)
    assert world.follow() == ["succeeded"]
    world.clock.advance(OVERLAP_S)
    assert world.retire("arn:r") == "succeeded"
    assert world.channels.events == [Event.PROMOTED, Event.PROMOTED, Event.ROLLED_BACK, Event.RETIRED]
    back, retired = world.channels.told[2:]
    assert back.version == retired.version == run_id_of("arn:first")
    assert [n.sequence for n in world.channels.told] == sorted({n.sequence for n in world.channels.told})
    current = world.ledger.head(NAME).current
    assert current is not None
    assert made_by(world.ledger, NAME, current) == run_id_of("arn:first")


def test_what_was_taken_back_since_is_not_told_late(world: TellingWorld) -> None:
    world.channels.broken = {"redis"}
    world.target.broken["check"] = Verdict.REFUSED
    world.rotate("arn:2")
    world.channels.broken.clear()
    told = len(world.channels.told)
    world.clock.advance(FIRST_PAUSE.total_seconds())
    assert world.sweep() == [NAME, NAME]
    assert world.channels.events[told:] == [Event.ROLLED_BACK]
    assert world.ledger.outbox.of(NAME) == []


def test_the_kill_switch_holds_back_what_goes_forward_and_nothing_that_is_taken_back(world: TellingWorld) -> None:
    assert {name for name in TELLING if STEPS[name].undoes} == {"publish_back", "publish_forgone", "publish_reverted"}
    world.channels.broken = {"redis"}
    world.rotate("arn:2")
    world.clock.advance(FIRST_PAUSE.total_seconds())
    world.engage()
    assert world.sweep() == []
    world.release()
    assert world.sweep() == [NAME]


def test_a_person_sends_again_what_is_owed_or_everything_since_a_moment(world: TellingWorld) -> None:
    def asked(**fields: Any) -> Any:
        return VERBS["replay"](world.desk, {**WHO, "secrets": [], **fields})

    nothing = {"sent": [], "left": 0, "next": ""}
    assert asked() == nothing
    world.channels.broken = {"redis"}
    world.rotate("arn:2")
    owed = {"secret": NAME, "run_id": run_id_of("arn:2"), "step": "publish"}
    assert asked() == {"sent": [{**owed, "outcome": "failed", "reason": "redis"}], "left": 0, "next": ""}
    (waits,) = VERBS["undelivered"](world.desk, {"secrets": []})
    assert {**waits, "due_at": ""} == {**owed, "due_at": "", "attempts": 1}
    assert VERBS["undelivered"](world.desk, {"secrets": [NAME]}) == [waits]
    world.channels.broken.clear()
    assert asked(secrets=[NAME]) == {"sent": [{**owed, "outcome": "passed", "reason": ""}], "left": 0, "next": ""}
    assert asked() == nothing
    assert VERBS["undelivered"](world.desk, {"secrets": []}) == []
    told = len(world.channels.told)
    assert [one["run_id"] for one in asked(since="2020")["sent"]] == [run_id_of("arn:first"), run_id_of("arn:2")]
    assert [notice.version for notice in world.channels.told[told:]] == [run_id_of("arn:2")], "only what is current"
    with pytest.raises(Refused, match="unknown_secret"):
        asked(secrets=["other"])


def test_more_than_one_answer_can_send_is_asked_for_in_pieces_and_each_is_sent_once(world: TellingWorld) -> None:
    runs = [f"arn:{number}" for number in range(2, replay.AT_ONCE + 4)]
    for execution in runs:
        world.rotate(execution)
        world.clock.advance(POLICY.overlap_s + 1)
        world.retire(f"{execution}-retire")
    sent, after = [], ""
    while True:
        told = VERBS["replay"](world.desk, {**WHO, "secrets": [], "since": "2020", "after": after})
        assert len(told["sent"]) <= replay.AT_ONCE
        sent += [(one["run_id"], one["step"]) for one in told["sent"]]
        after = told["next"]
        if not told["left"]:
            break
    assert len(sent) == len(set(sent)) > replay.AT_ONCE
    assert {run_id_of(execution) for execution in runs} <= {run for run, _ in sent}


def test_a_native_rotation_tells_consumers_too(world: TellingWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    functions = FunctionWorld(monkeypatch, TOKEN)
    functions.rotate("arn:first")
    policy = replace(POLICY, invalidate=CHANNELS)
    catalogue: Any = ModelCatalogue({NAME: policy})
    own = functions.function.context
    monkeypatch.setattr(functions.function, "context", lambda *given: replace(own(*given), announcer=world.channels))
    for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
        event = {"Step": step, "SecretId": NAME, "ClientRequestToken": TOKEN}
        NativeRotation(functions.function, lambda _: catalogue).handle(event, "q")
    assert [(n.event, n.version) for n in world.channels.told[1:]] == [(Event.PROMOTED, TOKEN)]
