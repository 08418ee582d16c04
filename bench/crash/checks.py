"""What has to hold when all is over: the promise of every run, looked at from outside."""

from __future__ import annotations

from bench.crash.stores import Seen
from bench.crash.witness import Witness
from rotation.ledger.records import Head


def broken(seen: Witness, *, settled: bool = True) -> list[str]:
    """What does not hold, in words. settled: a candidate that the next run settles is none either."""
    head, live = seen.head(), seen.store.live()
    found = []
    if head.run_id or head.execution:
        found.append("a claim is left")
    if settled and head.leftover:
        found.append("a candidate is left for the next run")
    if head.current is None or head.current.id != live.version:
        found.append("the ledger names another version than readers get")
    if not seen.target.accepts(live.text):
        found.append("the target refuses what readers get")
    if settled and not head.leftover:
        found += _strangers(seen, head, live)
    return found


def _strangers(seen: Witness, head: Head, live: Seen) -> list[str]:
    found = []
    known = {live.version} | ({head.overlap.old.id} if head.overlap else set())
    # the emulator leaves the label on what was promoted before (docs/emulator-gaps.md); its id is that of its run
    known |= {run.run_id for run in seen.place.ledger.history(head.secret) if run.status == "succeeded"}
    if seen.store.pending(known):
        found.append("the store holds a version that nobody knows of")
    others = seen.target.places() - {seen.target.place_of(live.text)}
    # what an open overlap leaves to accept is one
    if len(others) > (1 if head.overlap else 0):
        found.append("the target accepts what nobody will retire")
    return found


def refused(seen: Witness, old: Seen) -> list[str]:
    """After a retirement."""
    return ["the old credential is accepted after its retirement"] if seen.target.accepts(old.text) else []
