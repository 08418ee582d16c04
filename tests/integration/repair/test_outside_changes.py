"""Somebody else makes another version current: an event or the sweep finds it, and the policy's word is done."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import pytest
from repair_subject import Subject
from repair_sweep import sweep
from runs_catalogue import altered
from runs_stack import until
from runs_targets import ACCEPTED

pytestmark = pytest.mark.sandbox


def policy_says(one: Subject, word: str) -> AbstractContextManager[None]:
    return altered(one.stack, one.name, lambda policy: policy.update(on_outside_change=word))


def alarms(one: Subject) -> int:
    """How often somebody was told."""
    found: Any = one.stack.aws("cloudwatch").list_metrics(Namespace="Keyturn", MetricName="VersionMovedOutside")
    return len(found["Metrics"])


def _cleared(one: Subject) -> bool | None:
    last = one.stack.verb("history", secret=one.name)[-1]
    return (last["machine"], last["status"], one.head["run_id"]) == ("repair", "succeeded", "") or None


def test_a_label_that_moves_in_secrets_manager_is_found_by_its_own_event_and_adopted(postgres: Subject) -> None:
    before, text = postgres.live, postgres.stranger()
    postgres.target.accept(text)
    with policy_says(postgres, "adopt"):
        postgres.store.make_current(text)
        moved = postgres.live.version
        until(lambda: postgres.head["current"]["id"] == moved or None, "the adoption")
    overlap = postgres.head["overlap"]
    assert (overlap["old"]["id"], overlap["new"]["id"]) == (before.version, moved)
    # AWS leaves AWSPENDING on a version that was promoted: a run takes it off the one before
    until(lambda: _cleared(postgres), "the run that clears the label")
    postgres.check_well()
    assert postgres.says(before.text) == postgres.credential.refusal


def test_the_sweep_finds_a_move_that_no_event_tells_of_and_adopts_or_alarms_as_the_policy_says(
    signing_key: Subject,
) -> None:
    one = signing_key
    before, text = one.live, one.stranger()
    one.target.accept(text)
    with policy_says(one, "alarm"):
        one.store.make_current(text)
        sweep(one.stack)
        assert one.head["current"]["id"] == before.version, "nothing was adopted"
        assert alarms(one)
    with policy_says(one, "adopt"):
        sweep(one.stack)
        assert one.head["current"]["id"] == one.live.version != before.version
    assert one.says(one.live.text) == ACCEPTED
    one.check_well()
