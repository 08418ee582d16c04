"""A rotation that is asked for while the end of an overlap is due, and another while it is under way.

The retirement stands still in its middle: the token service has revoked the old token, and its answer is held back.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from runs_credentials import API_TOKEN
from runs_faults_played import close_overlap
from runs_faults_ways import Faulty
from runs_stack import Ended, until
from runs_stores import Seen

from sandbox.faults.http_proxy import HttpFaults

NAME = API_TOKEN.name
# below a call's patience (10 s): the function asks again when the connection ends
LONGEST_HOLD_S = 8.0


@dataclass(frozen=True, kw_only=True)
class Crossed:
    """What was asked for and how it ended, in order of time; `kept`: the row that makes the retirement due."""

    due: Ended
    kept: dict[str, Any]
    meanwhile: Ended
    retired: Ended
    old: Seen
    live: Seen
    shown_old: str
    shown_live: str
    head: dict[str, Any]
    afterwards: Ended


def cross(faulty: Faulty) -> Crossed:
    """Play it."""
    stack, target = faulty.stack, faulty.ways[NAME].target
    assert isinstance(target, HttpFaults)
    with closing(API_TOKEN.reader(stack)) as reader:
        close_overlap(stack, NAME)
        old = reader.live()
        assert stack.rotate(NAME).status == "SUCCEEDED"
        over = datetime.fromisoformat(stack.head(NAME)["overlap"]["retire_at"])
        until(lambda: datetime.now(UTC) > over or None, "the end of the overlap")
        due = stack.rotate(NAME)
        kept = stack.row(f"secret#{NAME}", "retire")
        target.clear()
        target.apply_then_drop("DELETE /accounts/*/slots/*", LONGEST_HOLD_S)
        started = stack.begin("retire", NAME)
        until(lambda: target.hits() or None, "the revoke at the target")
        meanwhile = stack.rotate(NAME)
        target.release()
        retired = stack.ended(started)
        live = reader.live()
        return Crossed(
            due=due,
            kept=kept,
            meanwhile=meanwhile,
            retired=retired,
            old=old,
            live=live,
            shown_old=API_TOKEN.show(stack.facts, old.text),
            shown_live=API_TOKEN.show(stack.facts, live.text),
            head=stack.head(NAME),
            afterwards=stack.rotate(NAME),
        )
