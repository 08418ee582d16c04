"""What makes thousands of walks quick, and asserts in the suite readable."""

from __future__ import annotations

import copy
import marshal
from dataclasses import fields, is_dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from rotation.issuers import scram
from rotation.ledger import memory, records
from sandbox.google import front

pytest.register_assert_rewrite(
    *(f"tests.unit.crash.crash_{name}" for name in ("suite", "checks", "channel", "waits", "people"))
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what `crash_suite.PAIRS` and `ONLY_IN` say; it is told as deselected."""
    left_out = [item for item in items if not _is_walked(item)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def _is_walked(item: pytest.Item) -> bool:
    # after its asserts were rewritten
    from tests.unit.crash.crash_suite import CrashPoints, is_served, is_told, is_walked  # noqa: PLC0415

    kind, given = getattr(item, "cls", None), getattr(getattr(item, "callspec", None), "params", {})
    if kind is None or not issubclass(kind, CrashPoints) or "credential" not in given:
        return True
    combo = (kind.store, given["credential"])
    told = "story" not in given or is_told(given["credential"], given["story"])
    return told and is_served(combo) and ("ending" not in given or is_walked(combo, given["story"]))


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _as_row(record: Any) -> dict[str, Any]:
    """As `dataclasses.asdict`, without copying what the table copies anyway."""
    kind: Any = type(record)
    shown = ((name, getattr(record, name)) for name in _names(kind))
    return {name: _as_row(value) if is_dataclass(value) else value for name, value in shown}


def _copied(row: Any) -> Any:
    """Rows are plain values but for an enumeration's: marshal's copy is the same, and quicker."""
    try:
        return marshal.loads(marshal.dumps(row))  # noqa: S302 - bytes of our own
    except ValueError:
        return copy.deepcopy(row)


@pytest.fixture
def patch(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Replaces what costs time here and is not what is tested: the rounds of a verifier, the copying of rows."""
    monkeypatch.setattr(scram, "ITERATIONS", 1)
    monkeypatch.setattr(memory, "copy", SimpleNamespace(deepcopy=_copied), raising=False)
    # gives way to other threads, of which there are none
    monkeypatch.setattr(front, "time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr(records, "asdict", _as_row, raising=False)
    return monkeypatch
