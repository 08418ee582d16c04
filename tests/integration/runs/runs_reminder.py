"""A credential that a person changes by hand, twice: the machine waits, the store shows the version, it is kept."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from runs_stack import Ended, Stack, until

NAME = "billing/processor-login"


@dataclass(frozen=True, kw_only=True)
class Reminded:
    """What was seen. listed: while it waited. too_early: the answer to evidence that is the version before.

    made: ids of the two versions. said: the answer to the last one.
    """

    listed: dict[str, Any]
    unknown: dict[str, Any]
    too_early: dict[str, Any]
    made: tuple[str, str]
    said: dict[str, Any]
    ended: Ended


def remind(stack: Stack) -> Reminded:
    """A first value and a change, each by a person with the store's own client."""
    begun, listed = _begun(stack)
    unknown = _done(stack, "00000000-0000-0000-0000-000000000000")
    first = _put(stack, "first")
    assert _done(stack, first)["ok"]
    assert stack.ended(begun).status == "SUCCEEDED"
    # the emulator keeps times of versions to the second
    put_at = int(time.time())
    until(lambda: int(time.time()) > put_at or None, "the next second")
    begun, _ = _begun(stack)
    too_early = _done(stack, first)
    second = _put(stack, "second")
    said = _done(stack, second)
    ended = stack.ended(begun)
    return Reminded(listed=listed, unknown=unknown, too_early=too_early, made=(first, second), said=said, ended=ended)


def _begun(stack: Stack) -> tuple[dict[str, str], dict[str, Any]]:
    begun = stack.begin("rotate", NAME)

    def look() -> dict[str, Any] | None:
        found: list[dict[str, Any]] = stack.verb("reminders")
        return next((one for one in found if one["run_id"] == begun["run_id"]), None)

    return begun, until(look, f"the reminder of {NAME}")


def _put(stack: Stack, text: str) -> str:
    value = json.dumps({"password": stack.remember(f"made by hand, {text}")})
    return str(stack.aws("secretsmanager").put_secret_value(SecretId=NAME, SecretString=value)["VersionId"])


def _done(stack: Stack, version: str) -> dict[str, Any]:
    return stack.ask("reminder_done", secret=NAME, version=version, reason="at the console")
