"""What the client library raises: one root, a `reason` for metrics and alarms, a message for people, never a value."""

from __future__ import annotations


class ClientError(Exception):
    """Root of all; `reason` is a slug that stays the same between releases."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason


class Unavailable(ClientError):
    """The store, or the endpoint of acknowledgements, did not answer: the same call may pass later."""


class Missing(ClientError):
    """The store has no such secret or version, or does not give it to this reader."""


class Unheard(ClientError):
    """An event could not be given to a cache: it has to be delivered again, or elsewhere."""
