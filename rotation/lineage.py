"""Which rotation made a version of a store: its run's id is what consumers know the version by, across all stores.

Judged by the ledger's history alone, newest run first: a store that is led back may write the old value as a new
version, and what was made once is then current under another number. Not here: what a store says of its versions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from rotation.context import version_from, version_in
from rotation.contract import Version
from rotation.errors import NotFound
from rotation.ledger.ledger import Ledger
from rotation.ledger.records import Run, StepRecord

# What a rollback leads back to is the rotation before it, with a few that failed between them.
_RUNS = 50
# As long as a run's id.
_ID_CHARS = 32


def made_by(ledger: Ledger, secret: str, version: Version) -> str:
    """Keyturn's id of `version`: the run that made it; for one that no run made, a hash of what its store calls it."""
    sought = version
    for run in ledger.history(secret)[: -_RUNS - 1 : -1]:
        if run.machine not in ("rotate", "rollback"):
            continue
        try:
            _, steps = ledger.run(run.run_id)
        except NotFound:
            continue
        if _made(steps, sought):
            return run.run_id
        sought = _before(run, steps, sought) or sought
    return hashlib.sha256(f"{secret} {sought.path} {sought.id}".encode()).hexdigest()[:_ID_CHARS]


def _made(steps: Mapping[str, StepRecord], sought: Version) -> bool:
    """Whether the run made it current; a first version that stayed is only recorded by the step that undoes."""
    if version_in(steps.get("promote")) == sought:
        return True
    demote = steps.get("demote")
    return version_in(demote) == sought and version_from(steps["stage"].intent) is None


def _before(run: Run, steps: Mapping[str, StepRecord], sought: Version) -> Version | None:
    """What the run led back to, if `sought` is what that is called since."""
    for name in ("demote", "revert", "forgo"):
        if version_in(steps.get(name)) == sought:
            way = run.overlap.old if run.overlap else None
            return version_from(steps["stage"].intent) if name == "demote" else way
    return None
