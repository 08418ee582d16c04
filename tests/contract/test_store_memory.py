"""The store contract on the model in memory: if a promise fails here, the promise or the suite is wrong."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import ClassVar

import pytest
import store_suite
from store_bench import FaultyCaller, Rotations, value

from rotation.contract import Pending, SecretRef, Version
from rotation.value import SecretValue
from tests.model.store import MemorySecret, MemoryServer, MemoryStore, translate


class MemoryBench:
    """A server in this process."""

    absent = SecretRef(store="memory", path="absent")

    def __init__(self) -> None:
        self.caller = FaultyCaller("memory", translate)
        self.server = MemoryServer()
        self._numbers = itertools.count(1)

    def store(self) -> MemoryStore:
        return MemoryStore(self.server, self.caller)

    def new_secret(self) -> SecretRef:
        ref = SecretRef(store="memory", path=f"secret-{next(self._numbers)}")
        self.server.secrets[ref.path] = MemorySecret()
        return ref

    def somebody_writes(self, ref: SecretRef, value: SecretValue) -> None:
        secret = self.server.find(ref.path)
        secret.current = secret.add(value)

    def readers_get(self, ref: SecretRef) -> SecretValue | None:
        secret = self.server.find(ref.path)
        return secret.value(secret.current) if secret.current else None

    def versions_made(self, ref: SecretRef) -> int:
        return len(self.server.find(ref.path).values)


class TestMemoryStore(store_suite.StoreContract):
    """The model itself."""

    budget: ClassVar[Mapping[str, int]] = {"read": 3, "write": 3}

    @pytest.fixture
    def bench(self) -> MemoryBench:
        return MemoryBench()

    def test_a_survey_tells_an_empty_placeholder_from_a_value(self, bench: MemoryBench, rotations: Rotations) -> None:
        secret = bench.server.find(rotations.ref.path)
        secret.values.append(None)
        secret.pending = len(secret.values)
        placeholder = Version(id=str(secret.pending))
        assert bench.store().survey(rotations.ref, None).pendings == (Pending(version=placeholder, empty=True),)
        bench.store().abandon(rotations.ref, "", placeholder)
        assert bench.store().survey(rotations.ref, None).pendings == ()
        assert rotations.rotate(value("new")).value == bench.readers_get(rotations.ref)


def test_a_store_may_not_redefine_a_promise() -> None:
    promise = store_suite.promises()[0]
    with pytest.raises(TypeError, match=promise):
        type("Cheating", (store_suite.StoreContract,), {promise: lambda self: None})


def test_a_gap_in_a_promise_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TypeError, match="test_nothing"):
        type("Sloppy", (store_suite.StoreContract,), {"gaps": {"test_nothing": "no reason"}})
