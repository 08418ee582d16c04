"""One operating-system process that sweeps: the control function itself, released together with another one.

`without` takes away what keeps two sweeps apart, for the tests that show what would happen then: `conditions` makes
every write of the ledger succeed, `names` gives each start an execution name of its own, `budgets` gives every token.
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Protocol

import pytest

from rotation import environment
from rotation.control import starts
from rotation.handlers.control import ControlFunction
from rotation.ledger.budget import Budgets
from rotation.ledger.dynamo import DynamoRows
from rotation.ledger.rows import ConditionFailed, Write

CONDITIONS, NAMES, BUDGETS = "conditions", "names", "budgets"
# A process that never comes to the barrier fails the test instead of hanging it.
PATIENCE_S = 60.0


class Waits(Protocol):
    """A barrier of processes."""

    def wait(self, timeout: float | None = None) -> int: ...


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What one process did in one round. overtaken: writes that it lost because the other one was faster."""

    started: tuple[str, ...]
    overtaken: int
    pid: int


def race(barrier: Waits, orders: Connection) -> None:
    """Sweep once per order `(environment, moment, without)`, when the other process is ready too; None ends it."""
    while (order := orders.recv()) is not None:
        stack, moment, without = order
        os.environ.update(stack)
        with pytest.MonkeyPatch.context() as patch:
            # it stands still, as for both at one moment: budgets give no more meanwhile, however slow the machine is
            patch.setattr(environment, "utc_now", lambda moment=moment: moment)
            weaken(patch, without)
            orders.send(_swept(stack, barrier, patch))


def _swept(stack: Mapping[str, str], barrier: Waits, patch: pytest.MonkeyPatch) -> Swept:
    lost: list[ConditionFailed] = []
    write = DynamoRows.write

    def counted(rows: DynamoRows, writes: Sequence[Write]) -> None:
        try:
            write(rows, writes)
        except ConditionFailed as exc:
            lost.append(exc)
            raise

    function = ControlFunction(stack)
    patch.setattr(DynamoRows, "write", counted)
    barrier.wait(PATIENCE_S)
    answer = function.handle({"phase": "sweep"}, "race")
    return Swept(started=tuple(answer["started"]), overtaken=len(lost), pid=os.getpid())


def weaken(patch: pytest.MonkeyPatch, without: Sequence[str]) -> None:
    """Take away what is named, in this process and for one race."""
    if CONDITIONS in without:
        patch.setattr(DynamoRows, "_condition", lambda *_: {})
    if NAMES in without:
        patch.setattr(starts, "execution_name", lambda *_: uuid.uuid4().hex)
    if BUDGETS in without:
        patch.setattr(Budgets, "left", lambda *_: sys.maxsize)
        patch.setattr(Budgets, "draw", lambda _, __, most: most)
