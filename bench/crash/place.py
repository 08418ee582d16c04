"""A sandbox of its own whose functions see AWS, stores and targets through the proxies; gone afterwards.

The stack is deployed by the same program and from the same zips as any other; only the facts that it is given name the
proxies. Waits and the machines' Retry are shortened by the emulator's wait scale, timeouts are not.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from artefacts.build import build_all
from bench.crash.killing import Killer
from bench.crash.lane import Lane
from bench.crash.ways import Ways, ways
from rotation.aws_client import translate
from rotation.calls import Caller, Meter, NullBreaker
from rotation.environment import utc_now
from rotation.errors import Refused
from rotation.ledger.dynamo import DynamoRows
from rotation.ledger.ledger import Ledger
from sandbox import lifecycle, processes
from sandbox.authorities import put_authorities
from sandbox.aws_client import administrator
from sandbox.deploy import PROJECT, STACK, configuration, state_file
from sandbox.engine import apply
from sandbox.facts import Credentials, Facts
from sandbox.handlers.registry import handlers, invokes
from sandbox.layout import CHECKOUT, Layout
from sandbox.wire import ask

# A Retry of 5, 10, 20, 40, 80 s becomes 0.1 to 1.6 s, a pause of 10 s between two looks 0.2 s.
WAIT_SCALE = 0.02
# Longer than everything here: overlaps end when they are told to, not when a sweep for another credential comes by.
OVERLAP_S = 86_400
PREFIX = "keyturn-local"
# The credential of each store.
SECRETS = {"aws": "payments/postgres", "vault": "partners/api-token", "gcp": "analytics/signing-key"}
_ALIAS = "live"
_FACTS = "detoured.json"


@dataclass(frozen=True)
class Place:
    """What is killed in, and the ways to look at it, none of which leads through a proxy."""

    facts: Facts
    credentials: Credentials
    lanes: dict[str, Lane]
    # held by the one sweep that runs, and while something becomes due that it must not find
    sweeping: threading.Lock = field(default_factory=threading.Lock)

    def client(self, service: str) -> Any:
        """A client of the account's administrator."""
        return administrator(self.facts, service)

    @cached_property
    def states(self) -> Any:
        """Step Functions."""
        return self.client("stepfunctions")

    @cached_property
    def secrets(self) -> Any:
        """Secrets Manager."""
        return self.client("secretsmanager")

    @cached_property
    def dynamodb(self) -> Any:
        """The ledger's rows as the table has them."""
        return self.client("dynamodb")

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, past control."""
        caller = Caller("dynamodb", translate=translate, meter=Meter(), breaker=NullBreaker(), sleep=lambda _: None)
        return Ledger(DynamoRows(self.dynamodb, f"{PREFIX}-ledger", caller), utc_now)

    def machine(self, name: str) -> str:
        """ARN of a state machine."""
        return f"arn:aws:states:{self.facts.aws_region}:{self.facts.aws_account_id}:stateMachine:{PREFIX}-{name}"


@contextmanager
def place(root: Path, tell: Callable[[str], None]) -> Iterator[Place]:
    """The place while the block lasts; `root`: a directory that is not there yet."""
    layout = Layout(root)
    try:
        tell("starting a sandbox")
        facts = lifecycle.up(layout)
        emulator = processes.load(layout.process("ministack"))
        if emulator is None:
            raise Refused("sandbox_not_up", "the emulator did not leave its record")
        killer = Killer(emulator.process)
        lanes = {store: Lane(secret, killer) for store, secret in SECRETS.items()}
        with ways(facts, lanes) as detours:
            made = Place(facts, Credentials.load(layout.credentials), lanes)
            tell("deploying the stack behind proxies")
            _deploy(layout, made, detours)
            yield made
    finally:
        lifecycle.remove(layout)


def _deploy(layout: Layout, made: Place, detours: Ways) -> None:
    build_all(CHECKOUT)
    seen = layout.run / _FACTS
    detours.facts.save(seen)
    apply(
        program=CHECKOUT / "__main__.py",
        project=PROJECT,
        stack=STACK,
        state=state_file(layout),
        config={
            **configuration(layout),
            "keyturn:sandboxFacts": str(seen),
            "keyturn:overlapCapSeconds": str(OVERLAP_S),
        },
        handlers=handlers(made.facts, made.credentials),
        invokes=invokes(made.facts, made.credentials),
    )
    put_authorities(made.facts, made.credentials)
    # the schedule would start runs of its own
    made.client("scheduler").delete_schedule(Name=f"{PREFIX}-sweep")
    for kind, endpoint in detours.aws.items():
        _lead(made, f"{PREFIX}-{kind}", endpoint)
    _shorten_waits(made)


def _lead(made: Place, function: str, endpoint: str) -> None:
    """The emulator tells a function where AWS is, unless its own environment does."""
    lambda_ = made.client("lambda")
    variables = lambda_.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    lambda_.update_function_configuration(
        FunctionName=function, Environment={"Variables": {**variables, "AWS_ENDPOINT_URL": endpoint}}
    )
    version = lambda_.publish_version(FunctionName=function)["Version"]
    lambda_.update_alias(FunctionName=function, Name=_ALIAS, FunctionVersion=version)


def _shorten_waits(made: Place) -> None:
    port = int(made.facts.aws_endpoint.rpartition(":")[2])
    _, answer = ask(port, "POST", "/_ministack/config", {"stepfunctions._SFN_WAIT_SCALE": WAIT_SCALE})
    if not answer.get("applied"):
        raise Refused("wait_scale", f"the emulator did not take the wait scale: {json.dumps(answer)}")
