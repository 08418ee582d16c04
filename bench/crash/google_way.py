"""The proxy before Google Secret Manager: gRPC calls as bytes, both ways, with their metadata and their errors."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

from bench.crash.killing import Connection
from bench.crash.lane import Gone, Lane
from bench.crash.words import of_google
from sandbox.ports import LOOPBACK

# One function asks; a killed one may leave a call behind.
_WORKERS = 4
_GRACE_S = 1.0
# What gRPC adds by itself.
_OWN = ("user-agent", "grpc-", "content-type", "te")


def _bytes(content: bytes) -> bytes:
    return content


class _PassOn(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    def __init__(self, channel: Any, lane: Lane) -> None:
        self._channel, self._lane, self.port = channel, lane, 0

    def service(self, handler_call_details: Any) -> Any:
        """Every method alike."""
        method: str = handler_call_details.method
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self._one(method, request, context))

    def _one(self, method: str, request: bytes, context: Any) -> bytes:
        call = self._channel.unary_unary(method, request_serializer=_bytes, response_deserializer=_bytes)
        metadata = [item for item in context.invocation_metadata() if not item.key.startswith(_OWN)]
        connection = Connection(peer=int(context.peer().rpartition(":")[2]), ours=self.port)

        def forward() -> bytes | grpc.RpcError:
            try:
                return bytes(call(request, metadata=metadata, timeout=context.time_remaining()))
            except grpc.RpcError as exc:
                return exc

        try:
            answer = self._lane.around(of_google(method), connection, forward)
        except Gone:
            context.abort(grpc.StatusCode.UNAVAILABLE, "nobody is there to be answered")
        if isinstance(answer, bytes):
            return answer
        context.set_trailing_metadata(answer.trailing_metadata())
        context.abort(answer.code(), answer.details())
        raise AssertionError("abort raises")


@contextmanager
def google_way(upstream: str, lane: Lane) -> Iterator[str]:
    """The proxy's `host:port` while the block lasts."""
    with grpc.insecure_channel(upstream) as channel:
        server = grpc.server(ThreadPoolExecutor(_WORKERS), options=(("grpc.so_reuseport", 0),))
        handler = _PassOn(channel, lane)
        server.add_generic_rpc_handlers((handler,))
        handler.port = server.add_insecure_port(f"{LOOPBACK}:0")
        server.start()
        try:
            yield f"{LOOPBACK}:{handler.port}"
        finally:
            server.stop(_GRACE_S).wait()
