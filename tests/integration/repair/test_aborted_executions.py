"""An execution that somebody aborts in the middle of a phase: the next sweep goes on with its run, to its end.

The phase is held where it speaks with its target or store, and goes on after the abort: it is the invocation that the
one who takes over has to live with.
"""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest
from repair_subject import Subject
from repair_sweep import looked_after_now, resumed, sweep
from repair_targets import as_authority
from runs_catalogue import timed
from runs_detour import detour
from runs_stack import until
from runs_targets import ACCEPTED

from rotation.issuers.postgres_fence import LOCK
from sandbox.google.remote import set_switches

pytestmark = pytest.mark.sandbox

WARM_UP_S = 4
# Longer than it takes to abort, shorter than a client's patience.
HELD_S = 3.0


def test_in_prepare_while_the_target_is_being_changed(postgres: Subject) -> None:
    with closing(as_authority(postgres.stack)) as session:
        session.run("SELECT pg_advisory_lock(:key)", key=LOCK)
        started = postgres.stack.begin("rotate", postgres.name)
        until(lambda: _begun(postgres, started, "apply"), "the change at the target")
        postgres.abort(started)
    _goes_on(postgres, started)


def test_in_the_warm_up(api_token: Subject) -> None:
    with timed(api_token.stack, api_token.name, overlap_s=0, warm_up_s=WARM_UP_S):
        run_id = api_token.stopped_before_promotion()
        assert resumed(api_token, run_id)["status"] == "succeeded"
    api_token.check_well()


def test_in_promote_whose_answer_is_late(signing_key: Subject) -> None:
    endpoint = signing_key.stack.facts.google_endpoint
    late = {"method": "UpdateSecret", "code": "UNAVAILABLE", "when": "after", "held_s": HELD_S}
    set_switches(endpoint, fail_next=late)
    started = signing_key.stack.begin("rotate", signing_key.name)
    until(lambda: _begun(signing_key, started, "promote"), "the promotion")
    signing_key.abort(started)
    _goes_on(signing_key, started)


def test_in_bake_while_the_target_is_asked(signing_key: Subject) -> None:
    url = signing_key.stack.facts.verifier_url
    with detour(signing_key.stack, signing_key.name, url, "/keys") as gate:
        started = signing_key.stack.begin("rotate", signing_key.name)
        gate.wait()
        assert _begun(signing_key, started, "health")
        signing_key.abort(started)
        gate.opened.set()
        assert resumed(signing_key, started["run_id"])["status"] == "succeeded"
    signing_key.check_well()


def test_in_retire_while_the_old_one_is_being_revoked(signing_key: Subject) -> None:
    before = signing_key.live
    signing_key.rotate()
    removal = f"/keys/{json.loads(before.text)['kid']}?generation={signing_key.head['epoch'] + 1}"
    with detour(signing_key.stack, signing_key.name, signing_key.stack.facts.verifier_url, removal) as gate:
        started = signing_key.stack.begin("retire", signing_key.name)
        gate.wait()
        signing_key.abort(started)
        gate.opened.set()
        run = resumed(signing_key, started["run_id"])
    assert run["status"] == "succeeded"
    assert _step(run, "prove")["facts"]["proof"] == "dead"
    assert signing_key.says(before.text) == signing_key.credential.refusal
    signing_key.check_well()


def test_a_run_whose_execution_lives_is_left_to_it(signing_key: Subject) -> None:
    with timed(signing_key.stack, signing_key.name, overlap_s=0, warm_up_s=WARM_UP_S):
        started = signing_key.stack.begin("rotate", signing_key.name)
        until(lambda: signing_key.head["run_id"] or None, "the claim")
        looked_after_now(signing_key)
        sweep(signing_key.stack)
        ended = signing_key.stack.ended(started)
    assert (ended.status, ended.run["takeovers"]) == ("SUCCEEDED", 0)
    signing_key.check_well()


def _goes_on(one: Subject, started: dict[str, str]) -> None:
    run = resumed(one, started["run_id"])
    assert (run["status"], run["takeovers"]) == ("succeeded", 1)
    assert one.says(one.live.text) == ACCEPTED
    one.check_well()


def _begun(one: Subject, started: dict[str, str], step: str) -> bool | None:
    said = one.stack.ask("run", run_id=started["run_id"])
    return any(found["step"] == step for found in said["result"]["steps"]) or None if said["ok"] else None


def _step(run: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(step for step in run["steps"] if step["step"] == name)
    return found
