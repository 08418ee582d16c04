"""What every server of the sandbox is to those who start, watch and stop it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from sandbox.facts import Credentials, Facts
from sandbox.layout import Layout

# where the few system tools lie that servers call
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a part is given to start: paths, the port kept for it (0: it takes its own), and the lane.

    `auth` asks the AWS emulator to enforce policies.
    """

    layout: Layout
    port: int
    auth: bool = False


@dataclass(frozen=True, kw_only=True)
class Started:
    """Fields of `Facts` and of `Credentials` that a part contributes. The latter are kept out of `repr`."""

    facts: Mapping[str, Any]
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)


class Part(Protocol):
    """One server. Instances hold no state: what runs is in the layout's records."""

    name: ClassVar[str]
    # whether a port must be found before it starts; the others take any and say which
    needs_port: ClassVar[bool]

    def start(self, request: Request) -> Started:
        """Start and wait until the server answers in its own protocol. Raises SandboxError."""
        ...

    def problem(self, facts: Facts, credentials: Credentials) -> str:
        """What is wrong with the running server, empty when it answers. Never raises."""
        ...

    def address(self, facts: Facts) -> str:
        """Where it is, for people."""
        ...


def environment(home: str) -> dict[str, str]:
    """A server's whole environment: nothing of the starter's, so no account, proxy or key of theirs reaches it."""
    return {"PATH": SYSTEM_PATH, "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8", "TZ": "UTC"}
