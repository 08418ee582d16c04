"""What differs between two registrations of a resource, and what that calls for.

Works on sealed properties, so secrets are compared by keyed hash and files by content. Compared by top-level
property, the grain at which handlers declare `replace_on`; `ignoreChanges` reaches inside by property path.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

# one step of a property path: `name`, `[0]` or `["a name"]`
_STEP = re.compile(r'\[(\d+)\]|\["([^"]*)"\]|\.?([^.\[\]]+)')
_ANY = "*"


def changed(old: dict[str, Any], new: dict[str, Any], same: Callable[[Any, Any], bool] = operator.eq) -> frozenset[str]:
    """The top-level properties that differ, as `same` sees it; an absent one equals None."""
    return frozenset(key for key in {*old, *new} if not same(old.get(key), new.get(key)))


def forces_replacement(differing: Iterable[str], replace_on: Collection[str], wished: Collection[str]) -> bool:
    """Whether a change must make a new resource: by its type, or by the program's `replaceOnChanges`."""
    roots = {str(steps(path)[0]) for path in wished}
    return any(key in replace_on or key in roots or _ANY in roots for key in differing)


def steps(path: str) -> list[str | int]:
    """A property path as keys and list positions: `a.b[0]["c d"]` is `["a", "b", 0, "c d"]`."""
    found = [int(index) if index else quoted or word for index, quoted, word in _STEP.findall(path)]
    if not found:
        raise ValueError(f"{path!r} is no property path")
    return found


def keep_ignored(old: dict[str, Any], new: dict[str, Any], ignored: Iterable[str]) -> dict[str, Any]:
    """`new` with each ignored path as `old` has it, absent where `old` has none."""
    result: Any = new
    for path in ignored:
        result = dict(old) if path == _ANY else _keep(old, result, steps(path))
    return dict(result)


def _keep(old: Any, new: Any, path: list[str | int]) -> Any:
    head, rest = path[0], path[1:]
    if isinstance(new, dict) and isinstance(old, dict):
        result = dict(new)
        if rest and head in old and head in new:
            result[str(head)] = _keep(old[head], new[head], rest)
        elif not rest and head in old:
            result[str(head)] = old[head]
        elif not rest:
            result.pop(str(head), None)
        return result
    if isinstance(new, list) and isinstance(old, list) and isinstance(head, int) and head < min(len(old), len(new)):
        kept = _keep(old[head], new[head], rest) if rest else old[head]
        return [*new[:head], kept, *new[head + 1 :]]
    return new
