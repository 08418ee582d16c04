"""The ledger's table on DynamoDB: consistent reads, TransactWriteItems for writes, conditions from data.

Source: the DynamoDB developer guide. Every attribute name goes through a placeholder, because many are reserved words.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from functools import partial
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from rotation.calls import Caller, Kind
from rotation.errors import KeyturnError
from rotation.ledger.rows import Check, ConditionFailed, Expect, Key, Put, Row, Write

_INDEX = "due"


class DynamoRows:
    """`client` is a boto3 DynamoDB client with vendor retries off; one item is one row."""

    def __init__(self, client: Any, table: str, caller: Caller) -> None:
        self._client = client
        self._table = table
        self._caller = caller
        self._pack = TypeSerializer().serialize
        self._unpack = TypeDeserializer().deserialize

    def identity(self) -> str:
        """DescribeTable's TableId: a restore makes another table (DynamoDB developer guide)."""
        answer = self._caller.call(Kind.LEDGER, lambda: self._client.describe_table(TableName=self._table))
        return str(answer["Table"]["TableId"])

    def get(self, key: Key) -> Row | None:
        """GetItem with ConsistentRead."""
        answer = self._caller.call(
            Kind.LEDGER,
            lambda: self._client.get_item(TableName=self._table, Key=self._key(key), ConsistentRead=True),
        )
        return self._row(answer["Item"]) if answer.get("Item") else None

    def partition(self, pk: str, prefix: str = "", newest: int = 0) -> list[Row]:
        """Query, all pages; of the newest read backwards, so that the rest of the partition is not read."""
        values = {":pk": {"S": pk}, **({":sk": {"S": prefix}} if prefix else {})}
        condition = "pk = :pk" + (" AND begins_with(sk, :sk)" if prefix else "")
        found = self._query(
            newest,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ConsistentRead=True,
            **({"Limit": newest, "ScanIndexForward": False} if newest else {}),
        )
        return found[::-1] if newest else found

    def due(self, shard: str, until: str, most: int = 0) -> list[Row]:
        """Query of the index, which projects all attributes."""
        return self._query(
            most,
            IndexName=_INDEX,
            KeyConditionExpression="due_shard = :shard AND due_at <= :until",
            ExpressionAttributeValues={":shard": {"S": shard}, ":until": {"S": until}},
            **({"Limit": most} if most else {}),
        )

    def _query(self, most: int = 0, **arguments: Any) -> list[Row]:
        rows: list[Row] = []
        request = {"TableName": self._table, **arguments}
        while True:
            answer = self._caller.call(Kind.LEDGER, partial(self._client.query, **request))
            rows += [self._row(item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer or 0 < most <= len(rows):
                return rows[: most or None]
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def write(self, writes: Sequence[Write]) -> None:
        """TransactWriteItems; its request token makes a repeat after a lost answer harmless for ten minutes."""
        items = [self._item(write) for write in writes]
        token = str(uuid.uuid4())
        try:
            self._caller.call(
                Kind.LEDGER,
                lambda: self._client.transact_write_items(TransactItems=items, ClientRequestToken=token),
            )
        except KeyturnError as exc:
            failed = _failed_conditions(exc)
            if failed:
                raise ConditionFailed(failed) from exc
            raise

    def _item(self, write: Write) -> dict[str, Any]:
        condition = self._condition(write.expect) if write.expect else {}
        if isinstance(write, Put):
            row = {**write.row, "pk": write.key.pk, "sk": write.key.sk}
            packed = {name: self._pack(value) for name, value in row.items()}
            return {"Put": {"TableName": self._table, "Item": packed, **condition}}
        verb = "ConditionCheck" if isinstance(write, Check) else "Delete"
        return {verb: {"TableName": self._table, "Key": self._key(write.key), **condition}}

    def _condition(self, expect: Expect) -> dict[str, Any]:
        compared = [(n, "=", v) for n, v in expect.equals.items()] + [(n, "<=", v) for n, v in expect.not_after.items()]
        absent = "attribute_not_exists(pk)"
        if not compared:
            return {"ConditionExpression": absent if expect.or_absent else "attribute_exists(pk)"}
        holds = " AND ".join(f"#{i} {how} :{i}" for i, (_, how, _) in enumerate(compared))
        return {
            "ConditionExpression": f"({holds}) OR {absent}" if expect.or_absent else holds,
            "ExpressionAttributeNames": {f"#{i}": name for i, (name, _, _) in enumerate(compared)},
            "ExpressionAttributeValues": {f":{i}": self._pack(value) for i, (_, _, value) in enumerate(compared)},
        }

    def _key(self, key: Key) -> dict[str, Any]:
        return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}

    def _row(self, item: dict[str, Any]) -> Row:
        return {name: _plain(self._unpack(value)) for name, value in item.items()}


def _plain(value: Any) -> Any:
    """Numbers come back as Decimal: whole ones become int, others float, inside maps and lists too."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if hasattr(value, "to_integral_value"):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _failed_conditions(exc: KeyturnError) -> list[int]:
    reasons = getattr(exc.__cause__, "response", {}).get("CancellationReasons", [])
    return [i for i, reason in enumerate(reasons) if reason.get("Code") == "ConditionalCheckFailed"]
