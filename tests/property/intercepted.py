"""Ports whose every call is a place where the strand that makes it stops, and may end as a cloud's calls end."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rotation.errors import Throttled, Unavailable
from tests.property.strands import Died, Ending, Strand


class Intercepted:
    """Passes everything on. `calls` counts by name; a call outside of a strand is the test's own look."""

    def __init__(self, inner: Any, label: str, calls: Counter[str]) -> None:
        self._inner, self._label, self._calls = inner, label, calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found
        return lambda *arguments, **named: self._call(f"{self._label}.{name}", found, arguments, named)

    def _call(self, name: str, function: Any, arguments: Any, named: Any) -> Any:
        strand = Strand.current()
        if strand is None:
            return function(*arguments, **named)
        ending = strand.pause(name)
        self._calls[name] += 1
        if ending is Ending.DIES_BEFORE:
            raise Died(f"before {name}")
        if ending is Ending.THROTTLED:
            raise Throttled("throttled", f"{name} was throttled")
        if ending is Ending.LOST_BEFORE:
            raise Unavailable("no_answer", f"{name} was not answered")
        try:
            return function(*arguments, **named)
        finally:
            if ending is Ending.DIES_AFTER:
                raise Died(f"after {name}")
            if ending is Ending.LOST_AFTER:
                raise Unavailable("no_answer", f"{name} was not answered")
