"""A run by its id, or by a beginning of it that only one of the runs that matter now has."""

from __future__ import annotations

from keyturn.answers import RunInFull, Standing
from keyturn.control import Control
from keyturn.remedies import About, remedy
from rotation.errors import NotFound

# Shorter beginnings are a slip of the hand more often than a run.
_SHORTEST = 4
NO_SUCH_RUN = "no run has that id"


def find_run(control: Control, text: str, stack: str) -> RunInFull:
    """The run called `text`; a beginning is looked for among claims and last runs. NotFound `run_unknown`."""
    if whole := control.run(text):
        return whole
    ids = {run_id for standing in control.status([]) for run_id in _ids(standing) if run_id.startswith(text)}
    if len(text) >= _SHORTEST and len(ids) == 1 and (found := control.run(ids.pop())):
        return found
    said = "more than one run begins so" if len(ids) > 1 else NO_SUCH_RUN
    raise NotFound("run_unknown", f"`{text}`: {said}", remedy("run_unknown", About(stack=stack)))


def _ids(standing: Standing) -> set[str]:
    return {standing.head.run_id, standing.last_run.run_id if standing.last_run else ""} - {""}
