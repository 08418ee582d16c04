"""Whether this is the process that something was started in: threads do not come along into one that is forked.

A cache whose threads stayed behind would serve the value of the moment of the fork for ever, and look well. So it
refuses there, in words. It is not started anew by itself: the clients of stores and pools that it was given have open
connections, which two processes must not share.
"""

from __future__ import annotations

import os

from keyturn.client.errors import ClientError


class Process:
    """Of something that starts threads; anywhere before it does."""

    def __init__(self) -> None:
        self._pid = 0

    def here(self) -> None:
        """It is started now."""
        self._pid = os.getpid()

    @property
    def elsewhere(self) -> bool:
        """Whether it was started by the process that forked this one."""
        return self._pid not in (0, os.getpid())

    def check(self, what: str) -> None:
        """ClientError `forked`."""
        if self.elsewhere:
            raise ClientError(
                "forked", f"the {what} was started before this process was forked: make and start it after the fork"
            )
