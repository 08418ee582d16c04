"""The store contract and Google's traps on the sandbox's server without its wire, as the crash points have it.

Inherits what the served one is held to.
"""

from __future__ import annotations

import pytest
import test_store_gcp
from gcp_bench import GcpBench

from sandbox.google.server import GoogleServer
from tests.model.google_service import GoogleClient


class TestGcpStoreOnTheModel(test_store_gcp.TestGcpStore):
    """The server's own calls, in this process."""

    @pytest.fixture
    def bench(self) -> GcpBench:
        server = GoogleServer()
        return GcpBench(server, GoogleClient(server))  # type: ignore[arg-type]
