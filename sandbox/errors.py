"""What can go wrong with the embedded cloud itself, told with a `reason` slug and what to do next.

One class, because callers do one thing with all of them: show message and remedy, and stop. The slugs are
constants beside the code that raises them, and the command maps them to exit codes.
"""

from __future__ import annotations

from rotation.errors import KeyturnError


class SandboxError(KeyturnError):
    """The sandbox cannot be started, found or stopped; `reason`, `message` and `remedy` as in `KeyturnError`."""
