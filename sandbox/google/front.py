"""What every call passes before and after its own work: lock, clock, switches, quotas, journal, status.

Answers are serialised under the lock: a message of the state must not change while gRPC writes it out.
The journal keeps method, resource and outcome of each call, never a payload, so that tests can count calls.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc

from sandbox.google.methods import SERVICE_NAME, Method, methods, resource_of
from sandbox.google.protos import Request
from sandbox.google.quotas import Quotas
from sandbox.google.refusals import Refusal, denied, exhausted
from sandbox.google.state import State
from sandbox.google.switches import Fault, Switches, When

# Enough for a long test run; older calls fall out.
_JOURNAL = 10_000
_IDENTITY_KEY = "x-keyturn-identity"
_ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class Call:
    """One call as it ended: RPC name, resource as the caller spelled it, gRPC code name (`OK`, `NOT_FOUND`, ...).

    at: the moment on the server's clock, epoch seconds.
    """

    method: str
    resource: str
    code: str
    at: float


class Injected(Exception):
    """A switch's fault hit the call."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.method)
        self.refusal, self.held_s = fault.refusal(), fault.held_s


class Front:
    """All calls of one server; `lock` also guards the switches when they are set from another thread."""

    def __init__(self, state: State, switches: Switches) -> None:
        self.lock = threading.Lock()
        self.journal: deque[Call] = deque(maxlen=_JOURNAL)
        self._state = state
        self._switches = switches
        self._quotas = Quotas()

    def handler(self) -> grpc.GenericRpcHandler:
        """The service for `grpc.Server.add_generic_rpc_handlers`."""
        served = {method.name: self._served(method) for method in methods(self._state)}
        return grpc.method_handlers_generic_handler(SERVICE_NAME, served)

    def release_late(self) -> None:
        """Let the effects of calls that failed `late` happen now, in order; what they raise is lost, as there."""
        with self.lock:
            parked, self._switches.parked = self._switches.parked, []
            for effect in parked:
                self._quietly(effect)

    def _served(self, method: Method) -> grpc.RpcMethodHandler:
        def answer(request: Request, context: Any) -> bytes:
            identity = str(dict(context.invocation_metadata()).get(_IDENTITY_KEY, _ANONYMOUS))
            refusal: Refusal | None = None
            encoded, held_s = b"", 0.0
            with self.lock:
                try:
                    encoded = self._run(method, request, identity)
                except Injected as raised:
                    refusal, held_s = raised.refusal, raised.held_s
                except Refusal as raised:
                    refusal = raised
                code = refusal.code.name if refusal else grpc.StatusCode.OK.name
                self.journal.append(Call(method.name, resource_of(request), code, self._state.clock()))
            # not under the lock: only this caller waits
            time.sleep(held_s)
            if refusal is not None:
                context.abort_with_status(refusal.status())
            return encoded

        return grpc.unary_unary_rpc_method_handler(answer, request_deserializer=method.request.FromString)

    def _run(self, method: Method, request: Request, identity: str) -> bytes:
        self._state.destroy_due()
        self._admit(method, request, identity)
        fault = self._switches.take(method.name)
        if fault is not None and fault.when is not When.AFTER:
            if fault.when is When.LATE:
                self._switches.parked.append(lambda: method.call(request))
            raise Injected(fault)
        encoded: bytes = method.call(request).SerializeToString()
        if fault is not None:
            raise Injected(fault)
        return encoded

    def _admit(self, method: Method, request: Request, identity: str) -> None:
        if self._switches.refuses(identity):
            raise denied(method.permission, resource_of(request))
        if self._state.clock() < self._switches.down_until:
            raise Refusal(grpc.StatusCode.UNAVAILABLE, "Down by a switch of the sandbox.")
        if self._switches.throttled_retry_s is not None:
            kind = f"{method.kind} requests"
            raise exhausted(kind, f"{kind} per minute", self._switches.throttled_retry_s)
        if self._switches.quotas:
            self._quotas.spend(method.name, method.kind, resource_of(request), self._state.clock())

    @staticmethod
    def _quietly(effect: Callable[[], object]) -> None:
        try:
            effect()
        except Refusal:
            return
