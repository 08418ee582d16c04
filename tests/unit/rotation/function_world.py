"""The functions' own code around a world in memory: only the clients, the adapter and the target are stood in for."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from rotation.handlers import store_phases
from rotation import logs
from rotation.calls import Breaker, Caller, Meter, NullBreaker
from rotation.control import claims
from rotation.environment import Bench
from rotation.errors import KeyturnError
from rotation.handlers.store_phases import StoreFunction
from rotation.stores.aws import CURRENT, PENDING, RotationState
from tests.model.store import MemoryServer, MemoryStore, translate
from tests.model.target import ModelIssuer
from tests.model.world import NAME, World

# The run's id of a native rotation.
TOKEN = "0123456789abcdef0123456789abcdef"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "LOG_LEVEL": "DEBUG",
    "PII_KEYS": "",
    "KEYTURN_STACK": "local",
    "KEYTURN_LEDGER_TABLE": "ledger",
    "KEYTURN_CATALOGUE_BUCKET": "catalogue",
    "KEYTURN_CATALOGUE_KEY": "arn:aws:kms:us-east-1:000000000000:key/catalogue",
    "KEYTURN_ROTATE_MACHINE_ARN": "arn:aws:states:us-east-1:000000000000:stateMachine:rotate",
    "KEYTURN_RETIRE_MACHINE_ARN": "arn:aws:states:us-east-1:000000000000:stateMachine:retire",
    "KEYTURN_ROLLBACK_MACHINE_ARN": "arn:aws:states:us-east-1:000000000000:stateMachine:rollback",
    "KEYTURN_REPAIR_MACHINE_ARN": "arn:aws:states:us-east-1:000000000000:stateMachine:repair",
    "KEYTURN_FUNCTIONS": '{"memory": "keyturn-local-memory"}',
}


@dataclass
class LambdaContext:
    """What Lambda hands a handler."""

    aws_request_id: str = "request-1"


class NativeStore(MemoryStore):
    """A memory store that shows what DescribeSecret shows of a native rotation."""

    enabled = True
    labelled = True
    # the token of a RotateSecret that came later
    registered = ""

    def __init__(self, server: MemoryServer, caller: Caller, token: str) -> None:
        super().__init__(server, caller)
        self._token = token

    def rotation_state(self, secret_id: str) -> RotationState:
        """RotateSecret has registered the token; promoted, it is current."""
        secret = self._server.find(secret_id)
        labels = {self.registered or self._token: (PENDING,)} if self.labelled else {}
        labels |= {run: (CURRENT,) for run, number in secret.runs.items() if number == secret.current}
        return RotationState(name=secret_id, enabled=self.enabled, labels=labels, tags={})


class FunctionWorld(World):
    """A world that is entered through a store's function."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, token: str = "") -> None:
        super().__init__()
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        target = self.target

        class Kind:
            translate = staticmethod(translate_model)
            capabilities = ModelIssuer.capabilities

            def __new__(cls, facts: Mapping[str, str], authority: object, caller: object) -> Any:
                del facts, authority, caller
                return ModelIssuer(target)

        monkeypatch.setattr(store_phases, "issuer_class", lambda _: Kind)
        self.function: StoreFunction[Any] = StoreFunction(lambda _, meter, breaker: self._store(meter, breaker, token))
        monkeypatch.setattr(self.function, "bench", self.bench)

    def _store(self, meter: Meter, breaker: Breaker, token: str) -> NativeStore:
        caller = Caller("memory", translate=translate, meter=meter, breaker=breaker, sleep=lambda _: None)
        return NativeStore(self.server, caller, token)

    def bench(self) -> Bench:
        """One invocation's."""
        return Bench(ledger=self.ledger, rows=self.rows, meter=Meter(), breaker=NullBreaker())

    def event(self, phase: str, /, **changes: Any) -> dict[str, Any]:
        """What the machine sends to a store's function, for a run that has its claim."""
        claimed = claims.claim(self.desk, self.request("arn:x"))
        event = {
            "phase": phase,
            "run_id": claimed["run_id"],
            "epoch": claimed["epoch"],
            "secret": NAME,
            "execution": "arn:x",
        }
        return {name: value for name, value in {**event, **changes}.items() if value is not None}


def translate_model(exc: Exception) -> KeyturnError | None:
    """Errors of the model are ours already."""
    return exc if isinstance(exc, KeyturnError) else None


class Told:
    """What the function logs from here on: its handler was made with the standard error of an earlier moment."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        (ours,) = [one for one in logging.getLogger().handlers if isinstance(one.formatter, logs.JsonFormatter)]
        assert isinstance(ours, logging.StreamHandler)
        ours.setStream(self._stream)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]
