"""Every type that is really made: inputs before and after an update, and how a plain client sees them.

A case is a function of the test's world and folder. `seen` asks the service, not the handler; it is called with the id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handler_world import World

from sandbox.handlers.contract import Properties


@dataclass(frozen=True, kw_only=True)
class Case:
    """One type: `before` is created, `after` is what it is updated to; `seen` gives `was`, then `becomes`."""

    before: Properties
    after: Properties
    seen: Callable[[str], Any]
    was: Any
    becomes: Any


Maker = Callable[[World, Path], Case]
CASES: dict[str, Maker] = {}


def case(token: str) -> Callable[[Maker], Maker]:
    """Register the case of a type token."""

    def register(maker: Maker) -> Maker:
        CASES[token] = maker
        return maker

    return register
