"""What a sweep needs of AWS, made on the emulator: a table, a bucket without an index, machines that end at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3

# As `infra.ledger` declares the table.
_ROW, _DUE = ("pk", "sk"), ("due_shard", "due_at")
_DEFINITION = json.dumps({"StartAt": "done", "States": {"done": {"Type": "Succeed"}}})
_ROLE = "arn:aws:iam::000000000000:role/race"


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """The emulator at `endpoint`."""

    endpoint: str
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def login(self) -> dict[str, str]:
        """The environment by which clients find the emulator."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    def stack(self, name: str) -> dict[str, str]:
        """Table, bucket and machine of a stack, and the environment of its control function."""
        self._table(name)
        self._of("s3").create_bucket(Bucket=name)
        states = self._of("stepfunctions")
        machine = states.create_state_machine(name=name, definition=_DEFINITION, roleArn=_ROLE)["stateMachineArn"]
        machines = {f"KEYTURN_{one}_MACHINE_ARN": machine for one in ("ROTATE", "RETIRE", "ROLLBACK", "REPAIR")}
        return {
            **self.login,
            **machines,
            "KEYTURN_STACK": name,
            "KEYTURN_LEDGER_TABLE": name,
            "KEYTURN_CATALOGUE_BUCKET": name,
            "KEYTURN_CATALOGUE_KEY": "unused",
            "KEYTURN_FUNCTIONS": "{}",
            "LOG_LEVEL": "ERROR",
        }

    def executions(self, stack: dict[str, str]) -> Iterator[str]:
        """The secret of every execution that was started, by the input that it was started with."""
        states = self._of("stepfunctions")
        pages = states.get_paginator("list_executions").paginate(stateMachineArn=stack["KEYTURN_ROTATE_MACHINE_ARN"])
        for page in pages:
            for one in page["executions"]:
                yield json.loads(states.describe_execution(executionArn=one["executionArn"])["input"])["secret"]

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def _table(self, name: str) -> None:
        self._of("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in (*_ROW, *_DUE)],
            KeySchema=_keys(*_ROW),
            GlobalSecondaryIndexes=[
                {"IndexName": "due", "KeySchema": _keys(*_DUE), "Projection": {"ProjectionType": "ALL"}}
            ],
        )

    def _of(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.endpoint,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",  # the emulator's own
            )
        return self._clients[service]


def _keys(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]
