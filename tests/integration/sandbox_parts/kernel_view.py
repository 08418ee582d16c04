"""What the kernel says about a sandbox's processes, independent of the code under test: sockets and leftovers."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sandbox.kernel import Process, family
from sandbox.layout import Layout
from sandbox.processes import Running, load

# `st` of a listening socket in /proc/net/tcp (include/net/tcp_states.h)
LISTEN = "0A"


def records(layout: Layout) -> list[Running]:
    """The servers that a sandbox's records name."""
    return [load(path) for path in layout.run.glob("*.process.json")]


def processes(layout: Layout) -> set[Process]:
    """Every process of a sandbox, servers and what they started."""
    return {p for running in records(layout) for p in (running.process, *family(running.process))}


def listeners(pids: set[int]) -> list[tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]]:
    """Addresses and ports on which these processes accept TCP connections."""
    sockets = {target for pid in pids for target in _descriptors(pid)}
    return [(address, port) for inode, address, port in _table() if f"socket:[{inode}]" in sockets]


def is_loopback(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def mentions(needle: str) -> list[str]:
    """Command lines of all processes on this machine that hold a text."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if needle in line:
                found.append(line)
    return found


def _descriptors(pid: int) -> list[str]:
    found = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            found.append(str(path.readlink()))
    return found


def _table() -> Iterator[tuple[str, ipaddress.IPv4Address | ipaddress.IPv6Address, int]]:
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            field = line.split()
            if field[3] == LISTEN:
                host, port = field[1].split(":")
                yield field[9], _address(bytes.fromhex(host)), int(port, 16)


def _address(raw: bytes) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The kernel prints each 32-bit word in the machine's (little-endian) order."""
    words = [raw[i : i + 4][::-1] for i in range(0, len(raw), 4)]
    return ipaddress.ip_address(b"".join(words))
