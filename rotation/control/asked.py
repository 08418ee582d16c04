"""What a machine's first phase is asked: the machine's input, parsed.

The input says which secret, why and for whom, whether a run is continued, and flags; never what a run does: that is the
policy of the catalogue. Only the control function may start machines, so that the actor in it is a verified one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rotation.control.desk import run_id_of
from rotation.errors import Refused
from rotation.event_fields import text

EMERGENCY, BREAK_GLASS, UNDO, CLEAR = "emergency", "break_glass", "undo", "clear="
UNACKNOWLEDGED = "unacknowledged"
# What a rollback was judged by: the version that it leaves, and the one that it goes back to.
LEAVES, TO = "leaves=", "to="
_WORDS = frozenset({EMERGENCY, BREAK_GLASS, UNACKNOWLEDGED, UNDO})
_NAMING = (CLEAR, LEAVES, TO)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """`resume`: the run to continue, or "". `flags`: words, each of `_WORDS`, or one of `_NAMING` and a version."""

    secret: str
    execution: str
    reason: str
    requested_by: str
    resume: str = ""
    flags: str = ""

    def __post_init__(self) -> None:
        """Refused `bad_event` for a flag that this version does not know: it might be a wish to be careful."""
        unknown = [word for word in self.flags.split() if word not in _WORDS and not word.startswith(_NAMING)]
        if unknown:
            raise Refused("bad_event", "the event has a flag that this version does not know", "deploy again")

    @property
    def run_id(self) -> str:
        """The run it is about."""
        return self.resume or run_id_of(self.execution)

    @property
    def emergency(self) -> bool:
        """No overlap: the old credential must not be used any more."""
        return EMERGENCY in self.flags.split()

    @property
    def break_glass(self) -> bool:
        """Passes a freeze."""
        return BREAK_GLASS in self.flags.split()

    @property
    def unacknowledged(self) -> bool:
        """Does not wait until consumers have acknowledged the new version."""
        return UNACKNOWLEDGED in self.flags.split()

    @property
    def undo(self) -> bool:
        """The continued run is only to be undone."""
        return UNDO in self.flags.split()

    @property
    def clear(self) -> str:
        """The pending version that a repair removes."""
        return self._named(CLEAR)

    @property
    def leaves(self) -> str:
        """The version that a rollback was to leave."""
        return self._named(LEAVES)

    @property
    def to(self) -> str:
        """The version that a rollback was to go back to."""
        return self._named(TO)

    def _named(self, prefix: str) -> str:
        return next((word.removeprefix(prefix) for word in self.flags.split() if word.startswith(prefix)), "")


def asked_in(event: Mapping[str, Any]) -> Asked:
    """From a machine's event; Refused `bad_event` names a field that is missing."""
    return Asked(
        secret=text(event, "secret"),
        execution=text(event, "execution"),
        reason=text(event, "reason"),
        requested_by=text(event, "requested_by"),
        resume=str(event.get("resume") or ""),
        flags=str(event.get("flags") or ""),
    )
