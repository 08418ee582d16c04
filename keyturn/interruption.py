"""What is said when the watching is interrupted: the runs go on without us, and how to look at them."""

from __future__ import annotations

from collections.abc import Sequence

from keyturn.exits import Exit
from keyturn.failures import told
from keyturn.remedies import at


def interrupted(under_way: Sequence[str], stack: str, *, as_json: bool) -> Exit:
    """Tell it of the secrets whose runs are under way; the exit code."""
    looks = ", ".join(f"`keyturn history {name}{at(stack)}`" for name in under_way)
    message = (
        f"interrupted: the runs of {', '.join(under_way)} go on in the stack {stack}"
        if under_way
        else "interrupted: no run is under way"
    )
    remedy = f"look at them with {looks}" if looks else ""
    return told(Exit.INTERRUPTED, "interrupted", message, remedy, as_json=as_json)
