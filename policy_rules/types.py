"""The first rule of all: every field holds what its type says, so that the others may trust what they compare.

Python runs a policy with `overlap_s="86400"` or with a forgotten comma in `freezes=(Freeze(...))` without a word. The
policy is written out as its document is and read back strictly; what pydantic finds is said by field. Not here: whether
a well-typed value makes sense.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from policy_rules.rule import Offence
from rotation.policy import Policy

NAME = "field-type"
SAYS = "every field holds what its type says: no text for a number, a tuple with its comma"

_READER = TypeAdapter(Policy)
# What a union of types adds to a place: not a field that anybody wrote.
_NO_FIELDS = ("str", "Fact", "function-wrap[nested]")
# The one field that is a dictionary: elsewhere one stands where an object of `rotation.policy` should.
_DICTIONARY = "facts"
# Stands for what no document can hold (a timedelta, a set, a class): a number that is no whole one fits no field.
_FOREIGN = 0.123456789


def mistyped(policy: Policy) -> Iterator[Offence]:
    """Each field that holds something of another type, with what was found; never its whole content."""
    return mistyped_document(_written(policy))


def mistyped_document(document: Mapping[str, Any]) -> Iterator[Offence]:
    """The same of a document; fields that it does not have are not missed, it may be of an older revision."""
    try:
        _READER.validate_json(json.dumps(document, default=lambda _: _FOREIGN), strict=True)
    except ValidationError as exc:
        told: dict[str, str] = {}
        for found in exc.errors(include_url=False, include_input=True):
            if found["type"] != "missing":
                told.setdefault(_field(found["loc"]), f"{_said(found['msg'])}, and is {_kind(found['input'])}")
        for field, problem in told.items():
            yield field, problem, _remedy(problem)


def _written(value: Any, field: str = "") -> Any:
    """What a document keeps of a value, and `_FOREIGN` for a dictionary or a class that only looks like a part."""
    if isinstance(value, tuple):
        return [_written(one) for one in value]
    if isinstance(value, dict) and field == _DICTIONARY:
        return {str(name): _written(one) for name, one in value.items()}
    if isinstance(value, (dict, type)):
        return _FOREIGN
    if not is_dataclass(value):
        return value
    return {one.name: _written(getattr(value, one.name), one.name) for one in fields(value)}


def _field(place: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in place if part not in _NO_FIELDS) or "policy"


def _said(message: str) -> str:
    return message.replace("Input should be", "should be").replace("array", "tuple")


def _kind(value: object) -> str:
    if value == _FOREIGN:
        return "of a kind that no policy holds"
    names = {str: "text", bool: "a truth value", int: "a number", float: "a fraction", list: "a tuple"}
    return "nothing" if value is None else names.get(type(value), "one value")


def _remedy(problem: str) -> str:
    return "write it with its comma: (one,)" if "tuple, and" in problem else "write it as rotation/policy.py says"
