"""A deployed stack as a test works with it: plain clients, control's verbs, and waiting for executions.

Verbs go the way of the command: signed, through the endpoint. Waiting is asking until a deadline. Not here:
stores and targets, which are looked at from outside (`runs_stores`, `runs_targets`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar

import boto3

import keyturn.stack
from keyturn.cloud import EndpointControl
from sandbox.facts import Credentials, Facts
from sandbox.layout import Layout

T = TypeVar("T")

PREFIX = "keyturn-local"
LEDGER = f"{PREFIX}-ledger"
BUCKET = f"{PREFIX}-catalogue-000000000000"
SWITCH = {"pk": {"S": "switch"}, "sk": {"S": "global"}}
# A run takes two seconds; a machine that does other work at the same time may take many times that.
DEADLINE_S = 90.0
# Between two looks: short beside a phase, long beside an answer.
PAUSE_S = 0.05


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How an execution ended, with what the ledger says of its run (`run`, as the verb answers it)."""

    execution: str
    status: str
    error: str
    cause: str
    run: dict[str, Any]

    def step(self, name: str) -> dict[str, Any]:
        found = [step for step in self.run["steps"] if step["step"] == name]
        assert found, (name, self.error, self.cause, self.run["failure"])
        return dict(found[0])

    def calls(self, kind: str) -> int:
        return sum(step["calls"].get(kind, 0) for step in self.run["steps"])


@dataclass(frozen=True, kw_only=True)
class Stack:
    """`outputs`: of the program. `known`: every value that was read from a store by a test, to be searched for."""

    layout: Layout
    facts: Facts
    credentials: Credentials
    outputs: Mapping[str, object] = field(default_factory=dict)
    known: set[str] = field(default_factory=set, repr=False)
    messages: dict[str, list[str]] = field(default_factory=dict, repr=False)
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def aws(self, service: str, **login: Any) -> Any:
        """A client of `service`, as the account's administrator unless `login` says who else."""
        key = service + login.get("aws_access_key_id", "")
        who = login or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        with self._lock:
            if key not in self._clients:
                self._clients[key] = boto3.client(
                    service, endpoint_url=self.facts.aws_endpoint, region_name=self.facts.aws_region, **who
                )
        return self._clients[key]

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def ask(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Control's answer to the account's administrator: `{ok, ...}`."""
        return self._control.ask(verb, fields)

    def verb(self, verb: str, **fields: Any) -> Any:
        answer = self.ask(verb, **fields)
        assert answer["ok"], answer
        return answer["result"]

    @cached_property
    def _control(self) -> EndpointControl:
        facts = self.facts
        return EndpointControl(
            keyturn.stack.Stack(
                name="local",
                account=facts.aws_account_id,
                region=facts.aws_region,
                prefix="keyturn",
                endpoint=facts.aws_endpoint,
            )
        )

    def begin(self, machine: str, secret: str) -> dict[str, str]:
        """Start `rotate` or `retire`; `{execution, run_id}`."""
        started: dict[str, str] = self.verb(machine, secret=secret, reason="a test")
        return started

    def ended(self, started: dict[str, str]) -> Ended:
        states = self.aws("stepfunctions")

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = states.describe_execution(executionArn=started["execution"])
            return found if found["status"] != "RUNNING" else None

        end = until(look, f"the end of {started['execution']}")
        return Ended(
            execution=started["execution"],
            status=end["status"],
            error=end.get("error", ""),
            cause=end.get("cause", ""),
            run=self.verb(verb="run", run_id=started["run_id"]),
        )

    def rotate(self, secret: str) -> Ended:
        return self.ended(self.begin("rotate", secret))

    def retire(self, secret: str) -> Ended:
        """The end of the open overlap, as soon as the clock allows it."""
        ends = datetime.fromisoformat(self.head(secret)["overlap"]["retire_at"])
        until(lambda: datetime.now(UTC) > ends or None, f"the end of the overlap of {secret}")
        return self.ended(self.begin("retire", secret))

    def settle(self, *secrets: str) -> None:
        """Leave no overlap open, so that the next rotation may begin."""
        for secret in secrets:
            if self.head(secret)["overlap"]:
                assert self.retire(secret).status == "SUCCEEDED"

    def head(self, secret: str) -> dict[str, Any]:
        found: dict[str, Any] = self.verb(verb="status", secrets=[secret])[0]["head"]
        return found

    def row(self, pk: str, sk: str) -> dict[str, Any]:
        """A row of the ledger as the table has it, past every verb."""
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        found: dict[str, Any] = self.aws("dynamodb").get_item(TableName=LEDGER, Key=key, ConsistentRead=True)["Item"]
        return found

    def remember(self, text: str) -> str:
        self.known.add(text)
        return text

    def function_at(self, run: dict[str, Any]) -> dict[str, Any]:
        """Configuration of the function version that a run was pinned to."""
        found: dict[str, Any] = self.aws("lambda").get_function_configuration(FunctionName=run["function"])
        return found


def until(look: Callable[[], T | None], what: str, seconds: float = DEADLINE_S) -> T:
    """Look again and again until there is something to see; a failure names what never came."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        assert time.monotonic() < deadline, f"no sign of {what} in {seconds:.0f} s"
        time.sleep(PAUSE_S)
    return found
