"""How what went wrong is told: message, reason, what to do next, exit code; as text or as one JSON document.

A traceback is shown only on request, and only for this command's own defects does anything ask for it.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Sequence
from typing import Protocol

from keyturn.console import emit, err
from keyturn.exits import Exit, of_error
from keyturn.remedies import general
from rotation.errors import KeyturnError

DEBUG_VARIABLE = "KEYTURN_DEBUG"


class Ended(Protocol):
    """How one secret ended, in whatever verb."""

    @property
    def secret(self) -> str:
        """Which."""
        ...

    @property
    def reason(self) -> str:
        """Slug; empty where a run ended without its proof."""
        ...

    @property
    def message(self) -> str:
        """In words, where there are any."""
        ...

    @property
    def remedy(self) -> str:
        """What to do next."""
        ...

    @property
    def exit(self) -> Exit:
        """Done, or not."""
        ...


def first_failure(ends: Sequence[Ended]) -> dict[str, object]:
    """What the document of a verb about several says of a failure: that of the first which did not end well."""
    first = next((one for one in ends if one.exit is not Exit.DONE), None)
    if first is None:
        return {}
    reason = first.reason or "unproven"
    message = f"{first.secret}: {first.message or f'ended with {reason}'}"
    return {"reason": reason, "message": message, "remedy": first.remedy, "exit_code": int(first.exit)}


def tell(error: KeyturnError, *, as_json: bool) -> Exit:
    """Show an error that says itself what it is; its exit code. One that brought no remedy gets the general one."""
    remedy = error.remedy or general(error.reason)
    return told(of_error(error), error.reason, error.message, remedy, as_json=as_json)


def tell_defect(error: Exception, *, as_json: bool) -> Exit:
    """Show an error that nobody foresaw. Its message stays hidden: it may quote anything."""
    message = f"{type(error).__name__}: this is a defect of keyturn"
    return told(Exit.DEFECT, "defect", message, f"{DEBUG_VARIABLE}=1 shows the traceback", as_json=as_json)


def without_traceback(message: str) -> str:
    """The message up to a traceback that it carries, and what that ended with: a program's failure brings one."""
    before, found, trace = message.partition("Traceback (most recent call last):")
    if not found:
        return message
    return f"{before.strip()} {trace.strip().splitlines()[-1].strip()}".strip()


def told(code: Exit, reason: str, message: str, remedy: str, *, as_json: bool) -> Exit:
    """Print one failure and give its code back."""
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exc()
    else:
        message = without_traceback(message)
    if as_json:
        told = {"ok": False, "reason": reason, "message": message, "remedy": remedy, "exit_code": int(code)}
        emit(told)
        return code
    console = err()
    console.print(message, style="red")
    if remedy:
        console.print(f"next: {remedy}")
    console.print(f"reason {reason}, exit code {int(code)}", style="dim")
    return code
