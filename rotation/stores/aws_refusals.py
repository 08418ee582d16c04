"""What the AWS adapter says when AWSCURRENT cannot be moved: to whom it happened, and what to do next."""

from __future__ import annotations

from rotation.contract import SecretRef, Version
from rotation.errors import Conflict, NotFound


def moved(ref: SecretRef) -> Conflict:
    """Somebody else moved AWSCURRENT."""
    return Conflict(
        "current_moved",
        f"the current version of {ref.path} is not the one this run started from; nothing was overwritten",
        "find out who moved it (`keyturn history`), then rotate again",
    )


def staged_missing(ref: SecretRef) -> NotFound:
    """The version to promote is gone."""
    return NotFound("staged_missing", f"the pending value of {ref.path} is gone", "rotate again")


def dropped(ref: SecretRef, version: Version) -> NotFound:
    """The version to go back to is gone."""
    return NotFound(
        "beyond_rollback_horizon",
        f"version {version.id} of {ref.path} is no longer there; AWS removes versions without a label",
        "rotate forward",
    )
