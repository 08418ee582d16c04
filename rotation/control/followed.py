"""Which policy a verb follows: the catalogue's; once that has none, the one of the run that has left something open.

A policy can be removed while its overlap is open or its run not ended. The old credential has to be retired all the
same, and only the run's own record still says where it lies and at which target. Rotating is not among what follows
it: nothing new is begun for a secret that no policy names. What the program no longer grants, or has deleted in the
store, is not given back by this.
"""

from __future__ import annotations

from typing import NamedTuple

from rotation.control.desk import Desk
from rotation.errors import NotFound, Refused
from rotation.ledger.records import CLAIM, RETIRE, Head
from rotation.policy import Policy, from_document

_UNKNOWN = "unknown_secret"
# Sorts after every time: all that is open, due or not.
_EVER = "~"


class Followed(NamedTuple):
    """removed: the catalogue has no such policy any more."""

    policy: Policy
    removed: bool


def followed(desk: Desk, secret: str) -> Followed:
    """The policy that ends what is open; Refused `unknown_secret` where nothing is, and the catalogue has none."""
    try:
        return Followed(desk.catalogue.policy(secret), removed=False)
    except Refused as exc:
        if exc.reason != _UNKNOWN or (left := _left_open_under(desk, secret)) is None:
            raise
        return Followed(left, removed=True)


def left_open(desk: Desk, known: list[str]) -> list[str]:
    """Secrets without a policy that have an open overlap or an unfinished run: their rows for the sweep name them."""
    named = {name for what in (RETIRE, CLAIM) for name in desk.ledger.due(what, _EVER)}
    return sorted(named - set(known))


def _left_open_under(desk: Desk, secret: str) -> Policy | None:
    head = desk.ledger.head(secret)
    run_id = _of_run(desk, head) if head.run_id or head.overlap else ""
    try:
        document = desk.ledger.run(run_id)[0].policy if run_id else ""
    except NotFound:
        document = ""
    return from_document(document) if document else None


def _of_run(desk: Desk, head: Head) -> str:
    """The run that holds the claim or has opened the overlap; of an overlap that was adopted the last that had both."""
    begun = head.run_id or (head.overlap.run_id if head.overlap else "")
    claimed = [run.run_id for run in desk.ledger.history(head.secret) if run.policy_digest]
    return begun or (claimed[-1] if claimed else "")
