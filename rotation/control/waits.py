"""Control's ports to what waits for people: the machines' task tokens, and whoever tells people that they are asked.

A token is answered with data, as every phase is: `{outcome, reason}`. Only control may answer one.
"""

from __future__ import annotations

import json
from typing import Any, Protocol

from botocore.exceptions import ClientError

from rotation.calls import Caller, Kind
from rotation.errors import Refused
from rotation.invocation import Answer

# Nobody waits by this token any more (Step Functions API reference, SendTaskSuccess).
_GONE = frozenset({"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"})


class TaskTokens(Protocol):
    """Answers what waits by a task token."""

    def answer(self, token: str, answer: Answer) -> None:
        """End the wait; nothing happens where nobody waits by it any more. Raises what a call may."""
        ...


class NullTaskTokens:
    """Answers nobody: for desks whose machines wait for nobody."""

    def answer(self, token: str, answer: Answer) -> None:
        """Nothing."""


class StepFunctionsTokens:
    """`client` is a boto3 Step Functions client."""

    def __init__(self, client: Any, caller: Caller) -> None:
        self._client = client
        self._caller = caller

    def answer(self, token: str, answer: Answer) -> None:
        """SendTaskSuccess, also for a no: outcomes are data, and a failure would be retried as the unexpected."""
        said = json.dumps(dict(answer))
        try:
            self._caller.call(Kind.CONTROL, lambda: self._client.send_task_success(taskToken=token, output=said))
        except Refused as exc:
            cause = exc.__cause__
            if not isinstance(cause, ClientError) or cause.response.get("Error", {}).get("Code") not in _GONE:
                raise


class Notices(Protocol):
    """Where people are told that somebody has to decide. `channel`: its name, "" where there is none."""

    channel: str

    def say(self, text: str) -> bool:
        """One message, tried once; whether it was taken. Never raises."""
        ...


class NullNotices:
    """Tells nobody: for stacks without a place for it. `keyturn approvals` shows what waits all the same."""

    channel = ""

    def say(self, text: str) -> bool:
        """Nothing: nobody was told."""
        del text
        return False
