"""Defects that were never made, one per promise, to show that the storms would find them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from rotation import invocation
from rotation.context import Context
from rotation.contract import Fence
from rotation.control import answering, approvals, awaited, claims, records
from rotation.ledger import ledger
from rotation.ledger.approvals import Status
from rotation.ledger.rows import Check, Expect, Key
from rotation.phases import Outcome
from rotation.steps import STEPS
from rotation.steps.step import StepResult
from tests.model.target import ModelTarget
from tests.property.lagging_rows import MARKER

Seed = Callable[[pytest.MonkeyPatch], None]


def _target_without_generations(patch: pytest.MonkeyPatch) -> None:
    checked = ModelTarget.set

    def unchecked(target: ModelTarget, slot: str, token: str | None, fence: Fence, effect: str) -> None:
        target.generations.pop(slot, None)
        target.gave_up.pop(slot, None)
        checked(target, slot, token, fence, effect)

    patch.setattr(ModelTarget, "set", unchecked)


def _writes_without_the_claim(patch: pytest.MonkeyPatch) -> None:
    anything = Check(key=Key("nothing", "nothing"), expect=Expect(or_absent=True))
    patch.setattr(ledger, "_mine", lambda _: anything)


def _effects_without_intents(patch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object, **__: object) -> None:
        return

    patch.setattr(ledger.Ledger, "begin", nothing)


def _step(patch: pytest.MonkeyPatch, name: str, act: Callable[[Context], StepResult]) -> None:
    patch.setitem(STEPS, name, replace(STEPS[name], act=act))


def _withdrawal_of_what_readers_get(patch: pytest.MonkeyPatch) -> None:
    _step(patch, "demote", lambda _: StepResult(facts={"undone": "nothing"}))


def _promotion_untested(patch: pytest.MonkeyPatch) -> None:
    _step(patch, "apply", lambda _: StepResult())
    _step(patch, "test", lambda _: StepResult())
    _step(patch, "health", lambda _: StepResult())


def _claims_of_running_executions(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(claims, "_check_free", lambda *_: None)


def _steps_repeated(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(invocation, "_stands", lambda *_: False)


def _values_among_the_facts(patch: pytest.MonkeyPatch) -> None:
    _step(patch, "test", lambda context: StepResult(facts={"verdict": f"accepted {MARKER}"}))


def _overlaps_forgotten(patch: pytest.MonkeyPatch) -> None:
    def none(*_: Any) -> None:
        return

    patch.setattr(records, "_overlap", none)


def _gates_that_ask_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(awaited, "_missing", lambda _: [])


def _silence_for_consent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(awaited, "_missing", lambda heard: [lease.instance for one in heard for lease in one.behind])


def _requesters_who_agree(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(answering, "same_person", lambda *_: False)


def _anybody_agrees(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(answering, "role_of", lambda _: "lead")


def _runs_that_ask_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(approvals, "needed", lambda *_: False)


def _told(patch: pytest.MonkeyPatch, where: ModuleType, status: Status) -> None:
    """The machine is told yes."""
    said = approvals.said

    def yes(*parts: Any) -> approvals.Request:
        made = said(*parts)
        return replace(made, outcome=Outcome.PASSED, cause="") if made.status == status else made

    patch.setattr(where, "said", yes)


def _expiry_for_consent(patch: pytest.MonkeyPatch) -> None:
    _told(patch, approvals, Status.EXPIRED)


def _no_for_yes(patch: pytest.MonkeyPatch) -> None:
    _told(patch, answering, Status.DENIED)


# Of what runs wait for: in a storm over runs that wait.
WAITING_DEFECTS: dict[str, Seed] = {
    "a gate that asks no consumer": _gates_that_ask_nobody,
    "a consumer whose silence is consent": _silence_for_consent,
    "an agreement by whoever asked": _requesters_who_agree,
    "an agreement by anybody": _anybody_agrees,
    "a run that asks nobody": _runs_that_ask_nobody,
    "an expiry taken for a yes": _expiry_for_consent,
    "a no taken for a yes": _no_for_yes,
}
DEFECTS: dict[str, Seed] = {
    "a target that takes a late call": _target_without_generations,
    "ledger writes that do not check the claim": _writes_without_the_claim,
    "effects before their intents": _effects_without_intents,
    "an undoing that withdraws what readers get": _withdrawal_of_what_readers_get,
    "a promotion of what was never applied": _promotion_untested,
    "a claim taken from a running execution": _claims_of_running_executions,
    "a value among the facts": _values_among_the_facts,
    "an overlap that nobody remembers": _overlaps_forgotten,
}
