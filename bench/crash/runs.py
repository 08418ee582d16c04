"""Executions of the machines, started past control's verbs, and runs that lost theirs.

A run that lost its execution is found by the real sweep, which is told the claim is due; what the sweep starts too
early (an earlier invocation may still work) is resumed once more later, as a person would.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bench.crash.place import PREFIX, Place
from rotation.control.desk import run_id_of
from rotation.control.takeover import UNENDED
from rotation.errors import Refused
from rotation.ledger.records import Overlap, Run, claim_key, retire_key
from rotation.ledger.rows import Key
from rotation.ledger.switch import Who

# Each look costs the emulator as much as a call of a function.
_PAUSE_S = 0.2
# A killed run takes a few seconds; one whose unfenced step has to be waited out, above a minute.
_PATIENCE_S = 180.0
# Between two resumptions of a run whose earlier invocation may still work.
_RESUME_PAUSE_S = 5.0
# Later than everything here.
_NOT_SOON = "9999-01-01T00:00:00.000000Z"
# After every name of a secret.
_BEHIND_ALL = "~"
_WHO = Who(actor="crash-full", reason="crash points", verb="overlap_close")


@dataclass
class Started:
    """A run and the executions that worked on it."""

    secret: str
    machine: str
    run_id: str
    executions: list[str] = field(default_factory=list)


class Runs:
    """Runs of one secret."""

    def __init__(self, place: Place, secret: str) -> None:
        self._place, self._secret = place, secret

    def start(self, machine: str, resume: str = "") -> Started:
        """Start a machine, for a new run or to continue one."""
        payload = {"secret": self._secret, "reason": "crash points", "requested_by": "crash-full"}
        execution = self._place.states.start_execution(
            stateMachineArn=self._place.machine(machine),
            name=f"crash-{uuid.uuid4().hex}",
            input=json.dumps({**payload, "resume": resume, "flags": ""}),
        )["executionArn"]
        return Started(self._secret, machine, resume or run_id_of(execution), [execution])

    def stop(self, started: Started) -> None:
        """End its execution from outside: no Catch, no record."""
        self._place.states.stop_execution(executionArn=started.executions[-1])

    def wait(self, started: Started) -> Run:
        """Until its last execution has ended; the run as the ledger has it then. Refused `no_end`."""
        self._until_ended(started.executions[-1])
        return self._place.ledger.run(started.run_id)[0]

    def plain(self, machine: str) -> Run:
        """A run that nobody disturbs; Refused `next_failed` when it does not succeed."""
        if machine == "retire":
            self.close_overlap()
        run = self.wait(self.start(machine))
        if run.status != "succeeded":
            why = f"{run.failure.get('phase')}/{run.failure.get('reason')} {run.failure.get('cause', '')}".strip()
            raise Refused("next_failed", f"an undisturbed {machine} of {self._secret} {run.status}: {why}")
        return run

    def close_overlap(self) -> None:
        """The overlap is over now, as `overlap close` says it; no sweep for another credential finds it."""
        ledger = self._place.ledger
        head = ledger.head(self._secret)
        if head.overlap and head.overlap.retire_at > ledger.now():
            with self._place.sweeping:
                ledger.amend(head, _WHO, overlap=replace(head.overlap, retire_at=ledger.now()))
                # it would start the retirement that is started here
                self._let_be_due(retire_key(self._secret), _NOT_SOON)

    @property
    def overlap(self) -> Overlap | None:
        """The open one."""
        return self._place.ledger.head(self._secret).overlap

    def go_on(self, started: Started) -> tuple[Run, str]:
        """Let the sweep find a run that lost its execution, or resume it; the run, and what ended it."""
        run = self._place.ledger.run(started.run_id)[0]
        if run.status not in UNENDED:
            return run, ""
        how = "sweep"
        self._sweep(started)
        deadline = time.monotonic() + _PATIENCE_S
        while (run := self.wait(started)).status in UNENDED:
            if time.monotonic() > deadline:
                raise Refused("never_ended", f"the run stays {run.status}: {run.failure}", "see `keyturn repair`")
            time.sleep(_RESUME_PAUSE_S)
            how = "resume"
            started.executions += self.start(started.machine, started.run_id).executions
        return run, how

    def _sweep(self, started: Started) -> None:
        """One sweep that finds the claim due, and what it started."""
        with self._place.sweeping:
            self._let_be_due(claim_key(self._secret), self._place.ledger.now())
            # its look at other secrets would pass through the proxies of their lanes, among the calls of their runs
            self._place.ledger.surveyed.come_to(_BEHIND_ALL)
            began = datetime.now(UTC)
            sweep = self._place.states.start_execution(
                stateMachineArn=self._place.machine("sweep"), name=f"crash-sweep-{uuid.uuid4().hex}", input="{}"
            )["executionArn"]
            self._until_ended(sweep)
        listed = self._place.states.list_executions(stateMachineArn=self._place.machine(started.machine))
        readable = f"{started.machine}-{self._secret.replace('/', '-')}"
        started.executions += [
            found["executionArn"]
            for found in listed["executions"]
            if found["name"].startswith(readable) and found["startDate"] >= began
        ]

    def _let_be_due(self, key: Key, moment: str) -> None:
        """When a sweep finds a row; what the row says is not touched."""
        self._place.dynamodb.update_item(
            TableName=f"{PREFIX}-ledger",
            Key={"pk": {"S": key.pk}, "sk": {"S": key.sk}},
            UpdateExpression="SET due_at = :moment",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues={":moment": {"S": moment}},
        )

    def _until_ended(self, execution: str) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while self._place.states.describe_execution(executionArn=execution)["status"] == "RUNNING":
            if time.monotonic() > deadline:
                raise Refused("no_end", f"an execution for {self._secret} does not end", "see its history")
            time.sleep(_PAUSE_S)
