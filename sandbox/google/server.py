"""The server in one object: state, switches and control on a loopback port, for tests and for the sandbox alike.

Plaintext gRPC, no authentication: it listens on 127.0.0.1 only. A restart forgets everything, see `state.py`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import grpc

from sandbox.google.clocks import Clock
from sandbox.google.control import Control
from sandbox.google.front import Call, Front
from sandbox.google.state import Notice, State
from sandbox.google.switches import Switches

_HOST = "127.0.0.1"
# Calls are answered one at a time under a lock; a few threads keep slow readers from blocking the others.
_WORKERS = 8
# Time for a call under way to end when the server stops.
_GRACE_S = 1.0


class GoogleServer:
    """Secret Manager on loopback. `clock` gives epoch seconds: etags, lag, quotas and delays follow it.

    `switches` may be set directly, except that lag is changed with `set_lag`, so that what was written is settled.
    """

    def __init__(self, clock: Clock = time.time) -> None:
        self.switches = Switches()
        self._state = State(clock, self.switches.lag)
        self._front = Front(self._state, self.switches)
        self._control = Control(self._state, self.switches, self._front)
        self._grpc: grpc.Server | None = None

    def start(self, port: int = 0) -> int:
        """Listen on `port` (0: any free one) and return it; RuntimeError when it is taken."""
        options = (("grpc.so_reuseport", 0),)
        server = grpc.server(ThreadPoolExecutor(_WORKERS, "google-server"), options=options)
        server.add_generic_rpc_handlers((self._front.handler(), self._control.handler()))
        bound: int = server.add_insecure_port(f"{_HOST}:{port}")
        server.start()
        self._grpc = server
        return bound

    def stop(self) -> None:
        """End calls under way and free the port; idempotent."""
        if self._grpc is not None:
            self._grpc.stop(_GRACE_S).wait()
            self._grpc = None

    def set_lag(self, *, seconds: float = 0.0, stale: bool = False) -> None:
        """Readers fall behind by `seconds`, or stand still while `stale`; no arguments: everything has spread."""
        self._control.set({"lag_seconds": seconds, "stale": stale})

    def release_late(self) -> None:
        """Let the effects of calls that failed `late` happen now."""
        self._front.release_late()

    @property
    def calls(self) -> Sequence[Call]:
        """What was called so far, in order."""
        with self._front.lock:
            return tuple(self._front.journal)

    @property
    def notices(self) -> Sequence[Notice]:
        """What would have been published to topics so far, in order."""
        with self._front.lock:
            return tuple(self._state.notices)
