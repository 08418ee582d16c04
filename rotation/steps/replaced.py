"""Seeing the old credential work before the new one takes its place, where a type has no overlap.

Its retirement comes too late to see that: from `apply` on the target refuses the old one, as it refuses one that never
worked. So it is shown to the target before, and what the target said goes into the intent of the step that replaces it.
"""

from __future__ import annotations

from rotation.context import Context
from rotation.contract import Verdict, Version
from rotation.errors import NotFound
from rotation.ledger.records import Overlap

# The steps that put one credential in the place of another: of a rotation, and of a rollback.
_REPLACING = ("apply", "reinstate")
_SEEN = "replaced_verdict"


def intend_apply(context: Context) -> dict[str, str]:
    """What the target says to the credential that the run is about to replace; nothing where both are accepted."""
    return _look(context, "apply", context.expected)


def intend_reinstate(context: Context) -> dict[str, str]:
    """The same for a rollback."""
    return _look(context, "reinstate", context.run.overlap.new if context.run.overlap else None)


def seen_to_work(context: Context, overlap: Overlap) -> bool:
    """Whether the run that opened the overlap saw the old one accepted just before it replaced it."""
    if context.issuer.capabilities.overlaps:
        return False
    _, steps = context.ledger.run(overlap.run_id)
    said = (steps[name].intent.get(_SEEN) for name in _REPLACING if name in steps)
    return Verdict.ACCEPTED in said


def _look(context: Context, step: str, replaced: Version | None) -> dict[str, str]:
    can = context.issuer.capabilities
    if can.overlaps or not can.has_target or replaced is None:
        return {}
    if step in context.steps:
        # an earlier attempt may have replaced it already
        return context.steps[step].intent
    try:
        return {_SEEN: context.issuer.probe(context.read(replaced)).verdict.value}
    except NotFound:
        # the store gave it up: nobody can put it back either, and it may have to go all the same
        return {}
