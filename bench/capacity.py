"""Request units of DynamoDB on demand, from the requests and answers themselves.

Source: the DynamoDB developer guide (read and write operations, item sizes, transactions, secondary indexes). A
strongly consistent read is a unit per 4 KB, an eventually consistent one half of it; a row in a transaction is two
units per KB, of the larger of its old and new form; each change of an index entry is a unit per KB of its own. A
condition check is counted like a write of its row, which the guide does not say plainly: the dearer reading.
An operation that is not known here is an error. Nothing of a row is kept but its size and its place in the index.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import ceil
from typing import Any

from bench.kinds import Kind
from rotation.errors import Refused

_READ_BYTES = 4_096
_WRITE_BYTES = 1_024
_IN_TRANSACTION = 2
_EVENTUAL = 0.5
# Operations that read or write no row.
_ABOUT_TABLE = frozenset({"DescribeTable", "DescribeContinuousBackups"})
# The index of the ledger's table: a row with both attributes has an entry.
_INDEX_KEYS = ("due_shard", "due_at")
# What a list or a map adds, and each of its elements.
_NESTED_BYTES = 3
_ELEMENT_BYTES = 1

_Item = Mapping[str, Mapping[str, Any]]


class Capacity:
    """Units of one table's requests, in the order in which they came."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}
        self._entries: dict[str, str] = {}

    def units(self, operation: str, request: bytes, answer: bytes) -> dict[str, float]:
        """Units by kind. Refused `unknown_operation`."""
        asked, said = json.loads(request or b"{}"), json.loads(answer or b"{}")
        if operation == "GetItem":
            return _read([said["Item"]] if said.get("Item") else [], consistent=bool(asked.get("ConsistentRead")))
        if operation == "Query":
            return _read(said.get("Items", []), consistent=bool(asked.get("ConsistentRead")))
        if operation in _ABOUT_TABLE:
            return {Kind.TABLE_CALL.value: 1.0}
        if operation == "TransactWriteItems":
            return {Kind.WRITE_UNIT.value: float(sum(self._written(item) for item in asked["TransactItems"]))}
        raise Refused(
            "unknown_operation", f"the units of DynamoDB's {operation} are not known", "add it to bench/capacity.py"
        )

    def _written(self, item: Mapping[str, Any]) -> int:
        """Units of one action of a transaction."""
        verb, action = next(iter(item.items()))
        row: _Item = action.get("Item") or action["Key"]
        key = json.dumps([row["pk"], row["sk"]])
        old = self._sizes.get(key, 0)
        if verb == "ConditionCheck":
            return _IN_TRANSACTION * _blocks(old, _WRITE_BYTES)
        new = size_of(row) if verb == "Put" else 0
        self._sizes[key] = new
        index = self._indexed(key, row if verb == "Put" else {}) * _blocks(max(old, new), _WRITE_BYTES)
        return _IN_TRANSACTION * _blocks(max(old, new), _WRITE_BYTES) + index

    def _indexed(self, key: str, row: _Item) -> int:
        """Changes of the index: a moved entry is a deletion and a new one."""
        entry = json.dumps([row[name] for name in _INDEX_KEYS]) if all(name in row for name in _INDEX_KEYS) else ""
        before, self._entries[key] = self._entries.get(key, ""), entry
        if before == entry:
            return 1 if entry else 0
        return bool(before) + bool(entry)


def _read(items: list[_Item], *, consistent: bool) -> dict[str, float]:
    units = _blocks(sum(size_of(item) for item in items), _READ_BYTES)
    return {Kind.READ_UNIT.value: units if consistent else units * _EVENTUAL}


def _blocks(size: int, block: int) -> int:
    """Begun blocks; what is absent costs one."""
    return max(1, ceil(size / block))


def size_of(item: _Item) -> int:
    """Bytes of a row: names and values."""
    return sum(len(name.encode()) + _value(typed) for name, typed in item.items())


def _value(typed: Mapping[str, Any]) -> int:
    kind, held = next(iter(typed.items()))
    if kind in {"S", "B"}:
        return len(str(held).encode())
    if kind == "N":
        # one byte per two significant digits, and one
        return (len(str(held).strip("-0.")) + 1) // 2 + 1
    if kind in {"BOOL", "NULL"}:
        return 1
    if kind == "L":
        return _NESTED_BYTES + sum(_value(one) + _ELEMENT_BYTES for one in held)
    if kind == "M":
        return _NESTED_BYTES + size_of(held) + _ELEMENT_BYTES * len(held)
    return sum(len(str(one).encode()) for one in held)
