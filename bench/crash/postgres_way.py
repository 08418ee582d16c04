"""The proxy before PostgreSQL: its messages are passed on as they are, a statement and its end are one call.

Source: the PostgreSQL documentation, "Frontend/Backend Protocol". A client's Query, or all it sends up to a Sync, is
answered up to ReadyForQuery; only then does it send more, so that one thread serves both directions. Without TLS, as
the sandbox's server is. Statements' texts are looked at for their verb and forgotten.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial

from bench.crash.killing import Connection
from bench.crash.lane import Gone, Lane
from bench.crash.words import of_statement
from sandbox.ports import ANY_PORT, LOOPBACK

_LENGTH = struct.Struct("!I")
_TYPE_BYTES = 1
_QUERY, _PARSE, _SYNC, _READY, _PASSWORD = b"Q", b"P", b"S", b"Z", b"p"
_ERROR, _AUTHENTICATION = b"E", b"R"
# Codes of an authentication request after which the server goes on by itself (AuthenticationOk, SASLFinal).
_GOES_ON = (0, 12)


class _Closed(Exception):
    """One side has hung up."""


class _Wire:
    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def message(self, *, typed: bool = True) -> tuple[bytes, bytes]:
        """Type and whole message; a client's first one has no type."""
        kind = self._exactly(_TYPE_BYTES) if typed else b""
        length = self._exactly(_LENGTH.size)
        return kind, kind + length + self._exactly(_LENGTH.unpack(length)[0] - _LENGTH.size)

    def send(self, content: bytes) -> None:
        self._sock.sendall(content)

    def _exactly(self, count: int) -> bytes:
        content = b""
        while len(content) < count:
            more = self._sock.recv(count - len(content))
            if not more:
                raise _Closed
            content += more
        return content


class _Conversation:
    """One client's connection."""

    def __init__(self, client: socket.socket, server: socket.socket, lane: Lane) -> None:
        self._client, self._server, self._lane = _Wire(client), _Wire(server), lane
        self._connection = Connection(peer=client.getpeername()[1], ours=client.getsockname()[1])
        self._statement = ""

    def hold(self) -> None:
        """Until one side hangs up, or the client is killed."""
        self._server.send(self._client.message(typed=False)[1])
        self._log_in()
        while True:
            asked = self._asked()
            word = of_statement(self._statement)
            self._client.send(self._lane.around(word, self._connection, partial(self._answer, asked)))

    def _log_in(self) -> None:
        while True:
            kind, message = self._server.message()
            self._client.send(message)
            if kind == _READY:
                return
            code = _LENGTH.unpack_from(message, _TYPE_BYTES + _LENGTH.size)[0] if kind == _AUTHENTICATION else 0
            if code not in _GOES_ON:
                self._server.send(self._client.message()[1])

    def _asked(self) -> bytes:
        """All that the client sends before it waits."""
        sent = b""
        while True:
            kind, message = self._client.message()
            sent += message
            if kind == _QUERY:
                self._statement = _text(message[_TYPE_BYTES + _LENGTH.size :])
            if kind == _PARSE:
                self._statement = _text(message[_TYPE_BYTES + _LENGTH.size :].partition(b"\0")[2])
            if kind in (_QUERY, _SYNC):
                return sent

    def _answer(self, asked: bytes) -> bytes:
        self._server.send(asked)
        told = b""
        while True:
            kind, message = self._server.message()
            told += message
            if kind == _READY:
                return told


def _text(content: bytes) -> str:
    return content.partition(b"\0")[0].decode(errors="replace")


@contextmanager
def postgres_way(port: int, lane: Lane) -> Iterator[int]:
    """The proxy's port while the block lasts."""
    with socket.create_server((LOOPBACK, ANY_PORT)) as listening:
        thread = threading.Thread(target=_accept, args=(listening, port, lane), daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            # wakes the thread, which closing would not
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listening: socket.socket, port: int, lane: Lane) -> None:
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_serve, args=(client, port, lane), daemon=True).start()


def _serve(client: socket.socket, port: int, lane: Lane) -> None:
    with closing(client), socket.create_connection((LOOPBACK, port)) as server, suppress(_Closed, OSError, Gone):
        for side in (client, server):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _Conversation(client, server, lane).hold()
