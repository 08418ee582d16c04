"""A proxy before PostgreSQL that can lose the answer to a statement: bytes go through, until a completion is kept back.

Source: the manual's chapter on the message protocol: `CommandComplete` is `C`, its length, the tag, a zero. Only that:
throttling and outages of a target are not tested with it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer

from sandbox.ports import LOOPBACK

_CHUNK_BYTES = 65_536
_POLL_S = 0.01


class PostgresFaults(ThreadingTCPServer):
    """A proxy before the server at `port` of this machine; operations are tags such as `COMMIT`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int) -> None:
        super().__init__((LOOPBACK, 0), _Session)
        self.target_port = port
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._drops: list[tuple[bytes, float]] = []
        self.dropped = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def apply_then_drop(self, operation: str, held_s: float = 0.0) -> None:
        """The statement is done, its session hears nothing more and ends after `held_s`."""
        tag = operation.encode() + b"\0"
        with self._lock:
            self._drops.append((b"C" + (len(tag) + 4).to_bytes(4, "big") + tag, held_s))

    def drop(self, content: bytes) -> float | None:
        """For what the server said: how long to hold it where a fault takes it, used up; None to pass it on."""
        with self._lock:
            for at, (completed, held_s) in enumerate(self._drops):
                if completed in content:
                    del self._drops[at]
                    self.dropped += 1
                    return held_s
        return None


class _Session(BaseRequestHandler):
    server: PostgresFaults

    def handle(self) -> None:
        """One connection of a client, and one to the server."""
        with socket.create_connection((LOOPBACK, self.server.target_port)) as onward:
            back = threading.Thread(target=self._answers, args=(onward,))
            back.start()
            _pump(self.request, onward)
            back.join()

    def _answers(self, onward: socket.socket) -> None:
        with suppress(OSError):
            while content := onward.recv(_CHUNK_BYTES):
                held_s = self.server.drop(content)
                if held_s is not None:
                    self.server.ended.wait(held_s)
                    break
                self.request.sendall(content)
        _end(self.request)
        _end(onward)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(_CHUNK_BYTES):
            sink.sendall(content)
    _end(sink)


def _end(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@contextmanager
def before(port: int) -> Iterator[PostgresFaults]:
    """A proxy before the server at `port`, which serves until the end of the block."""
    with PostgresFaults(port) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(_POLL_S,))
        thread.start()
        try:
            yield proxy
        finally:
            proxy.ended.set()
            proxy.shutdown()
            thread.join()
