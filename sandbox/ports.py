"""Free loopback ports that stay ours until the server that gets them listens.

A port that is found free and let go may be taken by somebody else before the server binds it. So the socket is
kept, bound but not listening, with SO_REUSEADDR: Linux then lets another socket with SO_REUSEADDR bind the same
port (every server here sets it), while it gives the port to nobody who asks for just any (socket(7), ip(7)).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from sandbox.errors import SandboxError

LOOPBACK = "127.0.0.1"
PORTS_VARIABLE = "KEYTURN_SANDBOX_PORTS"
ANY_PORT = 0
# what fits into a TCP header
HIGHEST_PORT = 65535


def wanted_ports(names: Sequence[str]) -> dict[str, int]:
    """Fixed ports from KEYTURN_SANDBOX_PORTS (`postgres=15432,openbao=8200`); any free port for the rest.

    Raises:
        SandboxError: `ports_malformed` for an unknown name or something that is no port.
    """
    wanted = dict.fromkeys(names, ANY_PORT)
    for entry in filter(None, os.environ.get(PORTS_VARIABLE, "").split(",")):
        name, _, port = entry.strip().partition("=")
        if name not in wanted or not port.isdecimal() or int(port) > HIGHEST_PORT:
            raise SandboxError(
                "ports_malformed",
                f"{PORTS_VARIABLE} holds {entry!r}",
                f"write name=port, separated by commas; the names are {', '.join(names)}",
            )
        wanted[name] = int(port)
    return wanted


@contextmanager
def reserved(wanted: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Ports for the given names, kept for us inside the block.

    Raises:
        SandboxError: `port_taken`, naming the part and the port.
    """
    with ExitStack() as stack:
        yield {name: _reserve(stack, name, port) for name, port in wanted.items()}


def _reserve(stack: ExitStack, name: str, port: int) -> int:
    holder = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        holder.bind((LOOPBACK, port))
    except OSError as exc:
        raise SandboxError(
            "port_taken",
            f"port {port} for {name} is taken by another program",
            f"stop that program or give {name} another port in {PORTS_VARIABLE}",
        ) from exc
    return int(holder.getsockname()[1])
