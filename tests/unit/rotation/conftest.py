"""The ledger's table in memory and under DynamoDB's rules as moto has them; a function's world, and its logging."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import boto3
import pytest
from function_world import TOKEN, FunctionWorld
from moto import mock_aws

from rotation import aws_client, logs
from rotation.calls import Caller, Meter, NullBreaker
from rotation.ledger.dynamo import DynamoRows
from rotation.ledger.ledger import Ledger
from rotation.ledger.memory import MemoryRows
from rotation.ledger.rows import Rows
from tests.model.clock import Clock
from tests.model.world import World

TABLE = "ledger"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "dynamo"])
def rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rows]:
    if request.param == "memory":
        yield MemoryRows()
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client = boto3.client("dynamodb")
        _create_table(client)
        caller = Caller(
            "dynamodb", translate=aws_client.translate, meter=Meter(), breaker=NullBreaker(), sleep=lambda _: None
        )
        yield DynamoRows(client, TABLE, caller)


def _create_table(client: object) -> None:
    names = ("pk", "sk", "due_shard", "due_at")
    client.create_table(  # type: ignore[attr-defined]
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "due_shard", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


@pytest.fixture
def ledger(rows: Rows, clock: Clock) -> Ledger:
    return Ledger(rows, clock)


@pytest.fixture
def logging_put_back() -> Iterator[None]:
    """Whatever a test configures: the root logger is the process's own."""
    loggers = [logging.getLogger(name) for name in (None, logs.LOGGER, *logs._VENDORS)]
    levels, handlers = [one.level for one in loggers], logging.getLogger().handlers[:]
    yield
    logging.getLogger().handlers[:] = handlers
    for one, level in zip(loggers, levels, strict=True):
        one.setLevel(level)


@pytest.fixture
def world() -> World:
    """A secret with its first value, and a second that has passed."""
    made = World()
    assert made.rotate("arn:first") == "succeeded"
    made.clock.advance(1)
    return made


@pytest.fixture
def functions(logging_put_back: None, monkeypatch: pytest.MonkeyPatch) -> FunctionWorld:
    """A secret with its first value, reached through a store's function."""
    made = FunctionWorld(monkeypatch, TOKEN)
    assert made.rotate("arn:first") == "succeeded"
    return made
