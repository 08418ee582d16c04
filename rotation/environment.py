"""What a function reads from its environment; the only module beside the stores' `from_env` that does.

`ledger_from` is shared by all functions. The rest of a function's wiring is in its handler.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from rotation import aws_client
from rotation.calls import Breaker, Caller, Meter, NullBreaker
from rotation.errors import Refused
from rotation.ledger.breaker import LedgerBreaker
from rotation.ledger.dynamo import DynamoRows
from rotation.ledger.ledger import Ledger
from rotation.ledger.rows import Rows


def needed(environment: Mapping[str, str], name: str) -> str:
    """A variable that must be there; Refused `configuration` names it."""
    if not environment.get(name):
        raise Refused("configuration", f"the variable {name} is not set", "deploy the function from the program")
    return environment[name]


def utc_now() -> datetime:
    """The wall clock, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What one invocation of any function works with; made anew per invocation, clients are kept warm inside."""

    ledger: Ledger
    rows: Rows
    meter: Meter
    breaker: Breaker


class Workshop:
    """Keeps the ledger's client warm and makes a `Bench` per invocation."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._table = needed(environment, "KEYTURN_LEDGER_TABLE")
        self._client = aws_client.client("dynamodb")

    def bench(self) -> Bench:
        """Fresh counters, a fresh look at the breakers; the ledger's own calls bypass what it keeps itself."""
        meter = Meter()
        rows = DynamoRows(self._client, self._table, caller("dynamodb", meter, NullBreaker()))
        return Bench(ledger=Ledger(rows, utc_now), rows=rows, meter=meter, breaker=LedgerBreaker(rows, utc_now))


def caller(provider: str, meter: Meter, breaker: Breaker) -> Caller:
    """A caller of an AWS service."""
    return Caller(provider, translate=aws_client.translate, meter=meter, breaker=breaker, sleep=time.sleep)
