"""Overlaps through the command: ended early, drawn out, overdue; and an old credential that does not die."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pg8000.native import Connection
from repair_command import WHY, Command
from repair_subject import Subject
from repair_sweep import sweep
from repair_targets import as_authority
from runs_catalogue import timed
from runs_detour import detour
from runs_stack import LEDGER, Ended, until
from runs_targets import ACCEPTED

from keyturn.exits import Exit
from rotation.issuers.postgres_fence import LOCK

pytestmark = pytest.mark.sandbox

LONG_S = 3_600
# The revoke, and the session that comes between its two transactions.
BOTH = 2
# Beyond what the sweep may be late.
AN_HOUR_AGO = timedelta(hours=1)


def test_an_overlap_that_is_closed_ends_with_a_dead_credential(postgres: Subject, command: Command) -> None:
    before = postgres.live
    with timed(postgres.stack, postgres.name, overlap_s=LONG_S):
        postgres.rotate()
        assert postgres.says(before.text) == ACCEPTED
        said = command.well("overlap", "close", postgres.name, "--reason", WHY)
    assert "old refused" in said["runs"][0]["proof"]
    assert postgres.says(before.text) == postgres.credential.refusal
    assert (postgres.head["overlap"], postgres.head["retired"]["old"]["id"]) == (None, before.version)
    refused = command("overlap", "close", postgres.name, "--reason", WHY)
    assert (refused.code, refused.document["reason"]) == (Exit.REFUSED, "no_open_overlap")
    postgres.check_well()


def test_an_emergency_ends_the_open_overlap_first_and_then_both_leaked_credentials_are_dead(
    postgres: Subject, command: Command
) -> None:
    oldest = postgres.live
    with timed(postgres.stack, postgres.name, overlap_s=LONG_S):
        postgres.rotate()
        leaked = postgres.live
        assert (postgres.says(oldest.text), postgres.says(leaked.text)) == (ACCEPTED, ACCEPTED)
        said = command.well("rotate", postgres.name, "--emergency", "--reason", WHY)
    (rotated,) = said["rotations"]
    assert "old refused" in rotated["proof"]
    ended, made, dead = postgres.stack.verb("history", secret=postgres.name)[-3:]
    assert [run["machine"] for run in (ended, made, dead)] == ["retire", "rotate", "retire"]
    assert {run["status"] for run in (ended, made, dead)} == {"succeeded"}
    assert ended["ended_at"] <= made["started_at"] <= made["ended_at"] <= dead["started_at"]
    assert [_retired(postgres, run) for run in (ended, dead)] == [oldest.version, leaked.version]
    assert (postgres.says(oldest.text), postgres.says(leaked.text)) == (postgres.credential.refusal,) * 2
    assert (made["emergency"], postgres.head["overlap"]) == (True, None)
    postgres.check_well()


def _retired(subject: Subject, run: dict[str, Any]) -> str:
    """The version that a retirement has proven dead."""
    seen = subject.stack.verb("run", run_id=run["run_id"])
    proofs = [step["facts"] for step in seen["steps"] if step["step"] == "prove"]
    assert [proof["proof"] for proof in proofs] == ["dead"]
    return str(run["overlap"]["old"]["id"])


def test_an_overlap_that_is_extended_is_not_ended_by_the_sweep(postgres: Subject, command: Command) -> None:
    before = postgres.live
    postgres.rotate()
    ends = datetime.fromisoformat(postgres.head["overlap"]["retire_at"])
    said = command.well("overlap", "extend", postgres.name, "--by", "30min", "--reason", WHY)
    later = datetime.fromisoformat(said["retire_at"])
    assert timedelta(minutes=29) < later - ends < timedelta(minutes=31)
    sweep(postgres.stack)
    assert postgres.says(before.text) == ACCEPTED
    assert postgres.head["overlap"]["old"]["id"] == before.version
    command.well("overlap", "close", postgres.name, "--reason", WHY)
    postgres.check_well()


def test_an_overlap_that_nobody_ended_is_overdue(postgres: Subject, command: Command) -> None:
    before = postgres.live
    postgres.rotate()
    _ended_long_ago(postgres)
    command.repairs(postgres.name, "overlap_overdue", "retire")
    assert postgres.says(before.text) == postgres.credential.refusal
    postgres.check_well()


def test_an_overlap_whose_retirement_failed_is_overdue_at_once(signing_key: Subject, command: Command) -> None:
    before = signing_key.live
    signing_key.rotate()
    with detour(
        signing_key.stack, signing_key.name, signing_key.stack.facts.verifier_url, "/verify", (400, {"error": "busy"})
    ) as gate:
        gate.opened.set()
        assert signing_key.stack.retire(signing_key.name).error == "new_unproven"
    assert signing_key.says(before.text) == ACCEPTED, "nothing was revoked"
    command.repairs(signing_key.name, "overlap_overdue", "retire")
    assert signing_key.says(before.text) == signing_key.credential.refusal
    signing_key.check_well()


def test_an_old_key_that_the_verifier_only_says_it_removed_is_alive(signing_key: Subject, command: Command) -> None:
    before = signing_key.live
    signing_key.rotate()
    kid = json.loads(before.text)["kid"]
    removal = f"/keys/{kid}?generation={signing_key.head['epoch'] + 1}"
    url = signing_key.stack.facts.verifier_url
    with detour(signing_key.stack, signing_key.name, url, removal, (200, {"kid": kid, "removed": "yes"})) as gate:
        gate.opened.set()
        _alive(signing_key, signing_key.stack.retire(signing_key.name))
    command.repairs(signing_key.name, "old_alive", "retire")
    assert signing_key.says(before.text) == signing_key.credential.refusal
    signing_key.check_well()


def test_an_old_password_that_somebody_put_back_right_after_the_revoke_is_alive(
    postgres: Subject, command: Command
) -> None:
    before = postgres.live
    postgres.rotate()
    with _put_back_after_the_revoke(postgres, before.text):
        _alive(postgres, postgres.stack.retire(postgres.name))
    assert postgres.says(before.text) == ACCEPTED
    command.repairs(postgres.name, "old_alive", "retire")
    assert postgres.says(before.text) == postgres.credential.refusal
    postgres.check_well()


def _alive(one: Subject, ended: Ended) -> None:
    assert (ended.status, ended.error) == ("FAILED", "old_alive")
    assert ended.step("prove")["facts"]["proof"] == "alive"
    assert one.head["overlap"], "it stays open, for another try"


def _ended_long_ago(one: Subject) -> None:
    """A test's device: the ledger's clock is the real one, so the end of the overlap is written into the past."""
    past = (datetime.now(UTC) - AN_HOUR_AGO).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    one.stack.aws("dynamodb").update_item(
        TableName=LEDGER,
        Key={"pk": {"S": f"secret#{one.name}"}, "sk": {"S": "head"}},
        UpdateExpression="SET overlap.retire_at = :past",
        ExpressionAttributeValues={":past": {"S": past}},
    )


@contextmanager
def _put_back_after_the_revoke(one: Subject, text: str) -> Iterator[None]:
    """Somebody else who honours the same lock gets it between the revoke's two transactions.

    PostgreSQL gives a lock in the order in which it was asked for: first held here, then asked for by the revoke, then
    by the session that puts the password back; the revoke's second transaction comes after that one.
    """
    with closing(as_authority(one.stack)) as first, closing(as_authority(one.stack)) as second:
        first.run("SELECT pg_advisory_lock(:key)", key=LOCK)

        def put_back(pool: ThreadPoolExecutor) -> None:
            until(lambda: _waiting(first) >= 1 or None, "the revoke at the lock")
            queued = pool.submit(second.run, "SELECT pg_advisory_lock(:key)", key=LOCK)
            until(lambda: _waiting(first) >= BOTH or None, "the other session at the lock")
            first.run("SELECT pg_advisory_unlock(:key)", key=LOCK)
            queued.result()
            one.target.accept(text)
            second.run("SELECT pg_advisory_unlock(:key)", key=LOCK)

        with ThreadPoolExecutor(BOTH) as pool:
            done = pool.submit(put_back, pool)
            yield
            done.result()


def _waiting(session: Connection) -> int:
    """How many sessions wait for an advisory lock."""
    rows = session.run("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    return int(rows[0][0])
