"""The ledger of a backup in the place of the real one, as the runbook restores it; and a ledger that lost a secret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from repair_command import WHY, Command
from repair_subject import Subject, subject
from runs_credentials import ALL, NAMES
from runs_stack import LEDGER, Stack
from runs_targets import ACCEPTED

from keyturn.exits import Exit

pytestmark = pytest.mark.sandbox


def test_a_restored_ledger_is_compared_with_stores_and_targets_before_anything_begins(
    stack: Stack, command: Command
) -> None:
    with _subjects(stack) as subjects:
        backup = _back_up(stack)
        # what the backup does not know
        for one in subjects:
            one.rotate()
            stack.settle(one.name)
        lives = [one.live for one in subjects]
        command.well("kill-switch", "engage", "--reason", WHY)
        _restore(stack, backup)
        begun = command("rotate", NAMES[0])
        assert begun.code == Exit.REFUSED
        looked = command("repair", "--all")
        found = {case["secret"]: case["found"]["diagnoses"][0] for case in looked.document["secrets"]}
        restored = {name: one["action"]["name"] for name, one in found.items() if one["kind"] == "ledger_restored"}
        assert restored == dict.fromkeys(NAMES, "adopt")
        # those that were never rotated, of which the backup knows as much as the ledger did
        assert {one["kind"] for name, one in found.items() if name not in NAMES} == {"healthy"}
        command.well("repair", "--all", "--yes", "--reason", WHY)
        assert [one.live for one in subjects] == lives, "no store and no target was touched"
        command.well("kill-switch", "release", "--yes", "--reason", WHY)
        for one in subjects:
            one.check_well()


def test_without_a_repair_no_run_begins_from_a_restored_ledger(stack: Stack, command: Command) -> None:
    with _subjects(stack) as subjects:
        _restore(stack, _back_up(stack))
        one = subjects[0]
        begun = command("rotate", one.name)
        assert (begun.code, begun.document["rotations"][0]["reason"]) == (Exit.REFUSED, "ledger_restored")
        for other in subjects:
            command.repairs(other.name, "ledger_restored", "adopt")
        one.check_well()


def test_a_ledger_that_lost_a_secret_is_told_by_the_target_and_adopts_what_works(
    api_token: Subject, command: Command
) -> None:
    live = api_token.live
    _forget(api_token)
    failed = command("rotate", api_token.name)
    assert (failed.code, failed.document["rotations"][0]["reason"]) == (Exit.RUN_FAILED, "stale_generation")
    assert (api_token.live, api_token.says(live.text)) == (live, ACCEPTED)
    command.repairs(api_token.name, "ledger_restored", "adopt")
    assert api_token.live == live
    api_token.check_well()


@contextmanager
def _subjects(stack: Stack) -> Iterator[list[Subject]]:
    """All three in hand, settled."""
    with (
        subject(stack, ALL[0]) as first,
        subject(stack, ALL[1]) as second,
        subject(stack, ALL[2]) as third,
    ):
        yield [one.settled() for one in (first, second, third)]


def _back_up(stack: Stack) -> str:
    made = stack.aws("dynamodb").create_backup(TableName=LEDGER, BackupName="before")
    return str(made["BackupDetails"]["BackupArn"])


def _restore(stack: Stack, backup: str) -> None:
    """In the place of the damaged one, because the name is fixed; the restored table has another id."""
    client = stack.aws("dynamodb")
    client.update_table(TableName=LEDGER, DeletionProtectionEnabled=False)
    client.delete_table(TableName=LEDGER)
    client.restore_table_from_backup(TargetTableName=LEDGER, BackupArn=backup)


def _forget(one: Subject) -> None:
    """Every row of the secret is gone, as with an empty table in the ledger's place."""
    client = one.stack.aws("dynamodb")
    rows = client.query(
        TableName=LEDGER,
        KeyConditionExpression="pk = :secret",
        ExpressionAttributeValues={":secret": {"S": f"secret#{one.name}"}},
    )["Items"]
    for row in rows:
        client.delete_item(TableName=LEDGER, Key={"pk": row["pk"], "sk": row["sk"]})
