"""What the control function works with: ledger, catalogue, and two small ports to the machines and the functions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from rotation.catalogue import Catalogue
from rotation.control.signals import NullSignals, Signals
from rotation.control.waits import Notices, NullNotices, NullTaskTokens, TaskTokens
from rotation.handwork import Versions
from rotation.inspection import Inspected
from rotation.invocation import Answer
from rotation.ledger.ledger import Ledger
from rotation.pointing import Pointed
from rotation.probing import Probed

# A run id is also AWS's ClientRequestToken, 32 to 64 characters.
RUN_ID_CHARS = 32


class Machines(Protocol):
    """The state machines as control needs them."""

    def start(self, machine: str, name: str, payload: Mapping[str, str]) -> str:
        """Start `rotate` or `retire` under a name; returns the execution's ARN. Conflict when the name is taken."""
        ...

    def running(self, execution: str) -> bool:
        """Whether the execution still runs; False when it is unknown."""
        ...


class Functions(Protocol):
    """The store functions as control needs them."""

    def pin(self, store: str, run_id: str) -> str:
        """The qualified ARN of one version, drawn by the run's id against the alias's weights."""
        ...

    def inspect(self, function: str, run_id: str) -> Inspected:
        """Ask a store's function for a look (`rotation.inspection`). Unavailable when it raised or did not answer."""
        ...

    def probe(self, function: str, secret: str) -> Probed:
        """Ask a store's function for a preflight (`rotation.probing`). Raises as `inspect`."""
        ...

    def versions(self, function: str, secret: str) -> Versions:
        """Ask a store's function which versions there are, without a value (`handwork`). Raises as `inspect`."""
        ...

    def point(self, function: str, secret: str) -> Pointed:
        """Ask a store's function what its store gives to readers (`rotation.pointing`). Raises as `inspect`."""
        ...

    def send_again(self, function: str, run_id: str, step: str, *, wait: bool) -> Answer:
        """Ask a store's function to tell consumers once more what a step tells; without `wait` nobody hears how."""
        ...


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Everything a control verb needs."""

    ledger: Ledger
    catalogue: Catalogue
    machines: Machines
    functions: Functions
    # which table the ledger lives in: another one after a restore from a backup
    table_id: Callable[[], str]
    signals: Signals = field(default_factory=NullSignals)
    tokens: TaskTokens = field(default_factory=NullTaskTokens)
    notices: Notices = field(default_factory=NullNotices)
    # named in messages to people
    stack: str = "local"
    # what consumers are configured with, as JSON; nothing of it is secret
    published: str = ""


def run_id_of(execution: str) -> str:
    """The run's id: a hash of the execution, so that a repeated claim of one execution is the same run."""
    return hashlib.sha256(execution.encode()).hexdigest()[:RUN_ID_CHARS]
