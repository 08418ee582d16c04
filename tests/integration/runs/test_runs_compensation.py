"""A failed test before promotion is undone at the real target and in the store, told, and stands in nobody's way.

The fault is outside the program: see `runs_failures`.
"""

from __future__ import annotations

import pytest
from runs_credentials import ALL, POSTGRES, Credential
from runs_failures import Failure
from runs_stack import Stack
from runs_targets import ACCEPTED

pytestmark = pytest.mark.sandbox

each = pytest.mark.parametrize("credential", ALL, ids=lambda credential: credential.name)

# a limit on connections is not a refusal of the authentication
REASON = {"payments/postgres": "test_unproven"}


@each
def test_the_execution_fails_with_the_reason_and_the_phase(
    credential: Credential, failures: dict[str, Failure]
) -> None:
    ended = failures[credential.name].ended
    reason = REASON.get(credential.name, "test_refused")
    assert (ended.status, ended.error, ended.cause) == ("FAILED", reason, "prepare")


@each
def test_history_says_what_failed_and_that_all_of_it_was_undone(
    credential: Credential, stack: Stack, failures: dict[str, Failure]
) -> None:
    ended = failures[credential.name].ended
    listed = stack.verb(verb="history", secret=credential.name)
    told = next(run for run in listed if run["run_id"] == ended.run["run_id"])
    reason = REASON.get(credential.name, "test_refused")
    assert (told["status"], told["failure"]) == ("failed", {"phase": "prepare", "reason": reason})
    undone = {name: ended.step(name)["facts"]["undone"] for name in ("withdraw", "abandon")}
    assert undone == {"withdraw": "withdrawn", "abandon": "abandoned"}


@each
def test_the_target_had_accepted_the_candidate_and_refuses_it_afterwards(
    credential: Credential, failures: dict[str, Failure]
) -> None:
    failure = failures[credential.name]
    assert failure.applied == ACCEPTED
    assert failure.left == credential.refusal


@each
def test_readers_and_the_target_stay_on_the_credential_from_before(
    credential: Credential, failures: dict[str, Failure]
) -> None:
    failure = failures[credential.name]
    assert failure.live == failure.before
    assert failure.live_shown == ACCEPTED


@each
def test_nothing_is_pending_in_the_store(credential: Credential, stack: Stack, failures: dict[str, Failure]) -> None:
    failure = failures[credential.name]
    if credential is not POSTGRES:
        assert failure.candidate_at_last is None
        return
    # AWS has no way to delete a version: without its label it is no version that anybody can ask for by label
    labels = stack.aws("secretsmanager").describe_secret(SecretId=POSTGRES.name)["VersionIdsToStages"]
    assert labels.get(failure.candidate.version, []) == []


@each
def test_the_next_rotation_succeeds_once_the_fault_is_gone(
    credential: Credential, failures: dict[str, Failure]
) -> None:
    failure = failures[credential.name]
    assert (failure.repaired.status, failure.retired.status) == ("SUCCEEDED", "SUCCEEDED")
    assert failure.repaired_live.text not in (failure.before.text, failure.candidate.text)
    assert failure.repaired_shown == ACCEPTED
    assert failure.retired.step("prove")["facts"]["proof"] == "dead"
