"""Every call of a run as a crash point, with Secrets Manager as the store: a file per store, for workers."""

from __future__ import annotations

from typing import ClassVar

from tests.unit.crash.crash_suite import CrashPoints


class TestCrashPointsWithAws(CrashPoints):
    """Secrets Manager."""

    store: ClassVar[str] = "aws"
