"""Every call of a run as a crash point, with KV v2 as the store: a file per store, for workers."""

from __future__ import annotations

from typing import ClassVar

from tests.unit.crash.crash_suite import CrashPoints


class TestCrashPointsWithVault(CrashPoints):
    """KV v2."""

    store: ClassVar[str] = "vault"
