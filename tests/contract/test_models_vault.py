"""The store contract and the traps of KV v2 on the model that the crash points are counted on, so that it cannot drift.

Inherits what a real OpenBao is held to; what the model leaves out is named as a gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
import test_store_vault
from store_bench import FaultyCaller
from vault_bench import MOUNT, GivenToken, VaultBench

from rotation.stores import vault_client
from rotation.stores.vault import VaultStore
from rotation.stores.vault_auth import VaultSession
from tests.model import vault_service


class VaultModelBench(VaultBench):
    """One mount of the model."""

    def __init__(self) -> None:
        self.caller = FaultyCaller("vault", vault_client.translate)
        self.kv: Any = vault_service.KvEngine(MOUNT)

    def store(self, token: str = "") -> VaultStore:
        """A new adapter; whichever token, the model knows no rights."""
        session = VaultSession(
            vault_service.client(self.kv), self.caller, GivenToken(token or "model"), clock=lambda: 0.0
        )
        return VaultStore(session)


class TestVaultStoreOnTheModel(test_store_vault.TestVaultStore):
    """The model: no rights, no rates, no seal."""

    gaps: ClassVar[Mapping[str, str]] = {
        "test_a_token_without_the_right_is_denied_after_one_more_login": "the model knows no rights",
        "test_a_rate_limit_is_throttled": "the model throttles nobody",
        "test_a_sealed_vault_is_unavailable": "the model has no seal",
        "test_the_pointer_names_a_version_that_will_be_deleted_some_day": "the model deletes at once only",
    }

    @pytest.fixture
    def server(self) -> None:
        """No process."""

    @pytest.fixture
    def bench(self) -> VaultModelBench:
        return VaultModelBench()
