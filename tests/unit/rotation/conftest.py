"""The ledger's table, twice: in memory, and DynamoDB's own rules as moto has them."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from rotation import aws_client
from rotation.calls import Caller, Meter, NullBreaker
from rotation.ledger.dynamo import DynamoRows
from rotation.ledger.ledger import Ledger
from rotation.ledger.memory import MemoryRows
from rotation.ledger.rows import Rows
from tests.model.clock import Clock

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
