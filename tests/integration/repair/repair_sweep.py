"""The sweep, started by a test where the schedule would; and the one clock that a test has to move for it."""

from __future__ import annotations

from datetime import UTC, datetime

from repair_subject import Subject
from runs_stack import LEDGER, PREFIX, Stack, until

from rotation.ledger.moments import timestamp
from rotation.ledger.records import CLAIM


def sweep(stack: Stack) -> None:
    """One execution of the machine `sweep`, to its end."""
    states = stack.aws("stepfunctions")
    machine = f"arn:aws:states:{stack.facts.aws_region}:{stack.facts.aws_account_id}:stateMachine:{PREFIX}-sweep"
    execution = states.start_execution(stateMachineArn=machine, input="{}")["executionArn"]

    def look() -> str | None:
        status = str(states.describe_execution(executionArn=execution)["status"])
        return None if status == "RUNNING" else status

    assert until(look, "the end of the sweep") == "SUCCEEDED"


def looked_after_now(one: Subject) -> None:
    """A test's device: a claim is looked after ten minutes after it was made, by a clock that is the real one."""
    one.stack.aws("dynamodb").update_item(
        TableName=LEDGER,
        Key={"pk": {"S": f"secret#{one.name}"}, "sk": {"S": CLAIM}},
        UpdateExpression="SET due_at = :now",
        ExpressionAttributeValues={":now": {"S": timestamp(datetime.now(UTC))}},
    )


def resumed(one: Subject, run_id: str) -> dict[str, object]:
    """The run that lost its execution, after a sweep has found it and another execution has ended it."""
    looked_after_now(one)
    sweep(one.stack)

    def look() -> dict[str, object] | None:
        run: dict[str, object] = one.stack.verb("run", run_id=run_id)
        return None if run["status"] == "running" else run

    return until(look, f"the end of the run {run_id}")
