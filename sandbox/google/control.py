"""The switches over the wire: a tiny gRPC service beside the real one, on the same loopback port.

`keyturn.sandbox.google.Control/Set` takes a `google.protobuf.Struct` of settings and answers the present ones;
`Calls` answers the journal, optionally clearing it. Same port on purpose: one thing to start, find and stop.
An unknown setting is refused, never ignored. `remote.py` is the client.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

from sandbox.google.front import Front
from sandbox.google.refusals import Refusal, invalid
from sandbox.google.state import State
from sandbox.google.switches import ANY, Fault, Switches, When

CONTROL_SERVICE = "keyturn.sandbox.google.Control"


class Control:
    """The control service of one server."""

    def __init__(self, state: State, switches: Switches, front: Front) -> None:
        self._state = state
        self._switches = switches
        self._front = front
        self._setters: Mapping[str, Callable[[Any], None]] = {
            "lag_seconds": self._lag_seconds,
            "stale": self._stale,
            "denied": self._denied,
            "throttled_retry_s": self._throttled,
            "quotas": self._quotas,
            "down_for": self._down_for,
            "forget_faults": self._forget_faults,
            "fail_next": self._fail_next,
        }

    def handler(self) -> grpc.GenericRpcHandler:
        """The service for `grpc.Server.add_generic_rpc_handlers`."""
        served = {"Set": _served(self.set), "Calls": _served(self.calls)}
        return grpc.method_handlers_generic_handler(CONTROL_SERVICE, served)

    def set(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Apply settings and return the present ones; INVALID_ARGUMENT for an unknown one, before any is applied.

        `lag_seconds` number, `stale` bool, `denied` list of identities, `throttled_retry_s` number or null,
        `quotas` bool, `down_for` seconds, `fail_next` {method, code, when, count, retry_after_s, held_s},
        `forget_faults` true, `release_late` true.
        """
        unknown = set(settings) - set(self._setters) - {"release_late"}
        if unknown:
            raise invalid(f"Unknown switches {sorted(unknown)}; known are {sorted(self._setters)} and release_late.")
        with self._front.lock:
            # in the order of the table: what is forgotten goes before what is set
            for key in (known for known in self._setters if known in settings):
                self._setters[key](settings[key])
        if settings.get("release_late"):
            self._front.release_late()
        return self._present()

    def calls(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Every call since the last clearing, in order: method, resource, code. `{"clear": true}` empties it after.

        `{"timed": true}` adds `at`, epoch seconds of the server's clock.
        """
        with self._front.lock:
            found = [dict(vars(call)) for call in self._front.journal]
            if request.get("clear"):
                self._front.journal.clear()
        if not request.get("timed"):
            for call in found:
                del call["at"]
        return {"calls": found}

    def _present(self) -> dict[str, Any]:
        lag = self._switches.lag
        return {
            "lag_seconds": lag.seconds,
            "stale": lag.stale,
            "denied": sorted(self._switches.denied),
            "throttled_retry_s": self._switches.throttled_retry_s,
            "quotas": self._switches.quotas,
            "faults": len(self._switches.faults),
            "parked": len(self._switches.parked),
        }

    def _lag_seconds(self, value: Any) -> None:
        self._state.settle()
        self._switches.lag.seconds = float(value)

    def _stale(self, value: Any) -> None:
        self._state.settle()
        self._switches.lag.stale = bool(value)

    def _denied(self, value: Any) -> None:
        self._switches.denied = {str(identity) for identity in value}

    def _throttled(self, value: Any) -> None:
        self._switches.throttled_retry_s = None if value is None else float(value)

    def _quotas(self, value: Any) -> None:
        self._switches.quotas = bool(value)

    def _down_for(self, value: Any) -> None:
        self._switches.down_until = self._state.clock() + float(value)

    def _forget_faults(self, value: Any) -> None:
        if value:
            self._switches.faults.clear()
            self._switches.down_until = 0.0

    def _fail_next(self, value: Any) -> None:
        try:
            code = grpc.StatusCode[value["code"]]
            when = When(value.get("when", When.BEFORE))
        except (KeyError, ValueError) as exc:
            raise invalid("fail_next needs a gRPC code name and before, after or late.") from exc
        fault = Fault(
            method=value.get("method", ANY),
            code=code,
            when=when,
            retry_after_s=value.get("retry_after_s"),
            held_s=float(value.get("held_s", 0.0)),
        )
        self._switches.faults.extend([fault] * int(value.get("count", 1)))


def _served(call: Callable[[Mapping[str, Any]], dict[str, Any]]) -> grpc.RpcMethodHandler:
    def answer(request: Struct, context: Any) -> Struct:
        response = Struct()
        try:
            response.update(call(MessageToDict(request)))
        except Refusal as refusal:
            context.abort_with_status(refusal.status())
        return response

    return grpc.unary_unary_rpc_method_handler(
        answer, request_deserializer=Struct.FromString, response_serializer=Struct.SerializeToString
    )
