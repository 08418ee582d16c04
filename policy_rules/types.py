"""The first rule of all: every field holds what its type says, so that the others may trust what they compare.

Python runs a policy with `overlap_s="86400"` or with a forgotten comma in `freezes=(Freeze(...))` without a word. The
policy is written out as its document is and read back strictly; what pydantic finds is said by field. Not here: whether
a well-typed value makes sense.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from pydantic import TypeAdapter, ValidationError

from policy_rules.rule import Offence
from rotation.policy import Policy

NAME = "field-type"
SAYS = "every field holds what its type says: no text for a number, a tuple with its comma"

_READER = TypeAdapter(Policy)
# What a union of types adds to a place: not a field that anybody wrote.
_NO_FIELDS = ("str", "Fact", "function-wrap[nested]")


def mistyped(policy: Policy) -> Iterator[Offence]:
    """Each field that holds something of another type, with what was found; never its whole content."""
    try:
        # what JSON does not know (a timedelta, a set) becomes its name, which is no number, list or object
        _READER.validate_json(json.dumps(asdict(policy), default=lambda value: type(value).__name__), strict=True)
    except ValidationError as exc:
        told: dict[str, str] = {}
        for found in exc.errors(include_url=False, include_input=True):
            told.setdefault(_field(found["loc"]), f"{_said(found['msg'])}, and is {_kind(found['input'])}")
        for field, problem in told.items():
            yield field, problem, _remedy(problem)


def _field(place: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in place if part not in _NO_FIELDS) or "policy"


def _said(message: str) -> str:
    return message.replace("Input should be", "should be").replace("array", "tuple")


def _kind(value: object) -> str:
    names = {str: "text", bool: "a truth value", int: "a number", float: "a fraction", list: "a tuple"}
    return "nothing" if value is None else names.get(type(value), "one value")


def _remedy(problem: str) -> str:
    return "write it with its comma: (one,)" if "tuple, and" in problem else "write it as rotation/policy.py says"
