"""A stack's ledger and machine on the AWS emulator, with more due than may start, for two processes that sweep it.

The rows are as a look of the sweep leaves them that has read the policies: due, within the time in which they may
start. Not here: what one process does (`sweep_racer`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from sweep_cloud import Cloud
from sweep_racer import PATIENCE_S, Swept, race

from rotation.control.sweep_facts import start_limit
from rotation.environment import Workshop
from rotation.ledger.agenda import membership
from rotation.ledger.due import Due
from rotation.ledger.moments import timestamp

ALONE, GROUPS, MEMBERS, GOOGLE = 24, 3, 3, 50


@dataclass(frozen=True, kw_only=True)
class Round:
    """One race over one ledger. executions: how many the machine has, by secret. rows: the due rows after it."""

    swept: tuple[Swept, Swept]
    executions: Counter[str]
    rows: Mapping[str, Due]

    @cached_property
    def claimed(self) -> list[str]:
        """The secrets that either of both says it has started, with repeats."""
        return sorted(name for one in self.swept for name in one.started)

    def of(self, kind: str) -> list[str]:
        """The executions of one kind of secret, with repeats."""
        return sorted(name for name in self.executions.elements() if name.startswith(f"{kind}/"))


def allowed(store: str) -> int:
    """Starts that the budget of a store gives at one moment."""
    limit = start_limit(store)
    assert limit is not None
    return int(limit.burst)


def due_rows(now: datetime) -> list[Due]:
    """What is due: AWS secrets alone and in groups, and more of Google than its budget allows to start."""
    alone = [("alone", i, "aws", "") for i in range(ALONE)]
    members = [(f"group-{g}", i, "aws", f"group-{g}") for g in range(GROUPS) for i in range(MEMBERS)]
    google = [("google", i, "gcp", "") for i in range(GOOGLE)]
    ago, ahead = timestamp(now - timedelta(hours=1)), timestamp(now + timedelta(days=1))
    return [
        Due(secret=f"{kind}/{i}", due_at=ago, since=ago, closes=ahead, store=store, group=group, digest="d")
        for kind, i, store, group in (*alone, *members, *google)
    ]


@contextmanager
def racers() -> Iterator[list[Connection]]:
    """Two processes, each at the other end of a connection."""
    # a forked child would share sockets and locks with its parent
    context = get_context("spawn")
    barrier, ends, children = context.Barrier(2), list[Connection](), list[BaseProcess]()
    try:
        for _ in range(2):
            ours, theirs = context.Pipe()
            child = context.Process(target=race, args=(barrier, theirs), daemon=True)
            child.start()
            theirs.close()
            ends.append(ours)
            children.append(child)
        yield ends
    finally:
        for child, end in zip(children, ends, strict=False):
            end.send(None)
            end.close()
            child.join(PATIENCE_S)
            child.close()


def played(cloud: Cloud, ends: Sequence[Connection], name: str, without: Sequence[str] = ()) -> Round:
    """One race over a ledger of its own. without: what keeps sweeps apart, and is taken away."""
    stack, now = cloud.stack(name), datetime.now(UTC)
    agenda = Workshop(stack).bench().ledger.agenda
    rows = due_rows(now)
    for row in rows:
        assert agenda.put(None, row, *membership(replace(row, group=""), row.group))
    for end in ends:
        end.send((stack, now, tuple(without)))
    first, second = (_answer(end) for end in ends)
    return Round(
        swept=(first, second),
        executions=Counter(cloud.executions(stack)),
        rows={row.secret: found for row in rows if (found := agenda.of(row.secret))},
    )


def _answer(end: Connection) -> Swept:
    assert end.poll(PATIENCE_S), "a process that sweeps did not answer"
    found: Swept = end.recv()
    return found
