"""One root error: a message for people, a `reason` slug for metrics and alarms, and what to do next.

Vendor exceptions end in an adapter's translation table and come out as one of these, `raise ... from exc`.
A message never holds a value. There is no hierarchy by vendor on purpose: callers branch on the class
(what may be done about it) or report the reason (what happened), never on who said it.
"""

from __future__ import annotations


class KeyturnError(Exception):
    """Anything Keyturn refuses or could not do.

    Attributes:
        reason: slug such as `version_conflict`; stable, used as metric dimension and runbook heading.
        message: one sentence for people, without any value of a secret.
        remedy: what to do next, one sentence; empty where nothing helps.
    """

    def __init__(self, reason: str, message: str, remedy: str = "") -> None:
        super().__init__(f"{message} [{reason}]")
        self.reason = reason
        self.message = message
        self.remedy = remedy


class Refused(KeyturnError):
    """The request is wrong and stays wrong: repeating it changes nothing."""


class Conflict(KeyturnError):
    """Somebody else changed what this run expected to find; nothing was overwritten."""


class NotFound(KeyturnError):
    """The secret, version or record is not there."""


class Denied(KeyturnError):
    """The provider refused the identity or its permissions."""


class Throttled(KeyturnError):
    """The provider asked to slow down; carries its Retry-After where it gave one."""

    def __init__(self, reason: str, message: str, remedy: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(reason, message, remedy)
        self.retry_after_s = retry_after_s


class Unavailable(KeyturnError):
    """The provider did not answer, or answered that it cannot now; the effect of the call is unknown."""


class Halted(KeyturnError):
    """The kill switch is set or cannot be read: no new effect is begun."""


class Fenced(KeyturnError):
    """A newer claim owns the secret, or a newer generation the target: this run must not touch it any more."""
