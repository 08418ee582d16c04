"""How the model of control refuses a verb, and what control answers then."""

from __future__ import annotations

from typing import Any


class Refusing(Exception):
    """A verb that control refuses."""


def refusal(reason: str, message: str = "refused", remedy: str = "") -> dict[str, Any]:
    """Control's answer when it refuses."""
    return {"ok": False, "reason": reason, "message": message, "remedy": remedy}
