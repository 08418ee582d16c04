"""Serving gRPC on a free loopback port, for the engine and the provider alike."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import grpc

# independent resources are made side by side; more threads than this only queue up in the emulator
THREADS = 16
# messages carry whole Lambda environments and policies: the SDK's own ceiling (`pulumi.runtime._grpc_settings`)
_MESSAGE_BYTES = 400 * 1024 * 1024
_OPTIONS = [("grpc.max_receive_message_length", _MESSAGE_BYTES), ("grpc.max_send_message_length", _MESSAGE_BYTES)]
# calls under way at the end are those of a program that is already gone
_GRACE_S = 1.0


@contextmanager
def serve(*register: Callable[[Any], None]) -> Iterator[str]:
    """Serve while the context lasts; each `register` adds a servicer to the server. Yields `127.0.0.1:PORT`."""
    pool = ThreadPoolExecutor(THREADS)
    server, port = _started(pool, *register)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(_GRACE_S).wait()
        # a handler that is still working finishes before the state is judged
        pool.shutdown(wait=True)


def serve_forever(register: Callable[[Any], None]) -> None:
    """Serve until this process is ended, having printed the port, as Pulumi's plugins do."""
    server, port = _started(ThreadPoolExecutor(THREADS), register)
    # what a shell starts in the background ignores it, and so would a child of such a command
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print(port, flush=True)
    # how the command ends a provider; a traceback would be told as a provider that broke
    with suppress(KeyboardInterrupt):
        server.wait_for_termination()


def _started(pool: ThreadPoolExecutor, *register: Callable[[Any], None]) -> tuple[Any, int]:
    server = grpc.server(pool, options=_OPTIONS)
    for add in register:
        add(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port
