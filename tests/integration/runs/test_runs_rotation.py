"""Each credential's life, judged from outside: by its target and its store, then by what the ledger says of it."""

from __future__ import annotations

import pytest
from runs_credentials import ALL, Credential
from runs_life import Life
from runs_targets import ACCEPTED

pytestmark = pytest.mark.sandbox

each = pytest.mark.parametrize("credential", ALL, ids=lambda credential: credential.name)


@each
def test_every_execution_of_the_life_succeeds(credential: Credential, lives: dict[str, Life]) -> None:
    life = lives[credential.name]
    ends = [(ended.status, ended.run["status"]) for ended in (life.first, life.second, life.retired)]
    assert ends == [("SUCCEEDED", "succeeded")] * 3


@each
def test_the_first_value_is_accepted_by_the_real_target(credential: Credential, lives: dict[str, Life]) -> None:
    assert lives[credential.name].shown["old, only one"] == ACCEPTED


@each
def test_both_credentials_work_in_the_overlap(credential: Credential, lives: dict[str, Life]) -> None:
    life = lives[credential.name]
    assert life.old.text != life.new.text
    assert (life.shown["old, in the overlap"], life.shown["new, in the overlap"]) == (ACCEPTED, ACCEPTED)


@each
def test_the_old_credential_is_refused_by_the_real_target_and_the_new_one_accepted(
    credential: Credential, lives: dict[str, Life]
) -> None:
    life = lives[credential.name]
    assert life.shown["old, retired"] == credential.refusal
    assert life.shown["new, alone"] == ACCEPTED


@each
def test_readers_of_the_store_get_the_new_credential(credential: Credential, lives: dict[str, Life]) -> None:
    life = lives[credential.name]
    assert life.live_at_last == life.new
    assert life.second.step("promote")["facts"]["version"] == life.new.version


def test_google_gives_the_old_version_up_for_good_and_the_others_keep_it(lives: dict[str, Life]) -> None:
    kept = {name: life.old_at_last is not None for name, life in lives.items()}
    assert kept == {"payments/postgres": True, "partners/api-token": True, "analytics/signing-key": False}
    said = {name: life.retired.step("dispose")["facts"]["disposed"] for name, life in lives.items()}
    assert said == {"payments/postgres": "kept", "partners/api-token": "kept", "analytics/signing-key": "destroyed"}


@each
def test_the_proof_of_death_is_recorded_in_the_targets_own_words(
    credential: Credential, lives: dict[str, Life]
) -> None:
    retired = lives[credential.name].retired
    witness, proof = retired.step("witness")["facts"], retired.step("prove")["facts"]
    assert (witness["old_verdict"], witness["new_verdict"]) == ("accepted", "accepted")
    assert (proof["proof"], proof["old_verdict"], proof["new_verdict"]) == ("dead", "refused", "accepted")
    assert proof["old_code"] in credential.refusal.split()


@each
def test_the_ledger_records_every_step_with_intent_before_outcome(
    credential: Credential, lives: dict[str, Life]
) -> None:
    life = lives[credential.name]
    steps = [step["step"] for step in life.second.run["steps"]]
    assert steps == ["stage", "apply", "test", "promote", "health"]
    assert [step["step"] for step in life.retired.run["steps"]] == ["witness", "revoke", "prove", "dispose"]
    for step in life.second.run["steps"] + life.retired.run["steps"]:
        assert step["intent_at"] < step["outcome_at"]
        assert (step["facts"]["outcome"], step["attempts"]) == ("passed", 1)
