"""TLS in front of a server that was built without it: hands bytes on both ways, for PostgreSQL after its SSLRequest."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from socketserver import BaseRequestHandler, ThreadingTCPServer

from certificates import Certificates

# Length and code of SSLRequest (PostgreSQL documentation, message formats).
SSL_REQUEST = bytes([0, 0, 0, 8, 4, 210, 22, 47])
CHUNK_BYTES = 4096
# how soon the front notices that it should stop
POLL_SECONDS = 0.02


@contextmanager
def tls_front(behind: int, files: Certificates, *, asked: bool = True) -> Iterator[int]:
    """The port of a front for the server at port `behind`, until the block ends. `asked`: clients ask for TLS first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)

    class Front(BaseRequestHandler):
        """One connection."""

        def handle(self) -> None:
            """Speak TLS, and hand on until either side ends; who does not trust us just leaves."""
            if asked:
                assert self.request.recv(len(SSL_REQUEST)) == SSL_REQUEST
                self.request.sendall(b"S")
            with contextlib.suppress(ssl.SSLError, ConnectionError), ExitStack() as stack:
                client = stack.enter_context(context.wrap_socket(self.request, server_side=True))
                server = stack.enter_context(socket.create_connection(("127.0.0.1", behind)))
                back = threading.Thread(target=_hand_on, args=(server, client))
                back.start()
                _hand_on(client, server)
                back.join()

    with ThreadingTCPServer(("127.0.0.1", 0), Front) as front:
        thread = threading.Thread(target=front.serve_forever, args=(POLL_SECONDS,))
        thread.start()
        try:
            yield int(front.server_address[1])
        finally:
            front.shutdown()
            thread.join()


def _hand_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(CHUNK_BYTES):
            sink.sendall(chunk)
    # the other direction ends too
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
