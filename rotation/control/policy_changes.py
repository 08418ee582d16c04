"""What differs between two documents of a policy, field by field, in a few short lines for a message.

Shown as policies write it: `overlap_s 86400 -> 3600`. Documents hold names, times and addresses, never a value. Not
here: which way a change goes, and every kind of value in people's words (the command's `policy diff`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

# A list of consumers would push the commands out of sight.
_LONGEST = 80
# Of what two long values share, so much is shown before they part: enough to recognise the item.
_SHARED = 20


def changes(before: str, after: str) -> list[str]:
    """One line per field that differs, in the order of the names; nothing where either document is empty."""
    if not (before and after):
        return []
    old, new = dict(_flat(json.loads(before))), dict(_flat(json.loads(after)))
    return [
        f"{name} {_both(_said(old.get(name)), _said(new.get(name)))}"
        for name in sorted(old | new)
        if old.get(name) != new.get(name)
    ]


def _flat(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _said(value: Any) -> str:
    if value in (None, "", [], {}):
        return "none"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _both(before: str, after: str) -> str:
    """Long values from where they part: cut at their beginning, two that differ late would look the same."""
    start = 0
    if max(len(before), len(after)) > _LONGEST:
        parted = (i for i, (old, new) in enumerate(zip(before, after, strict=False)) if old != new)
        start = max(next(parted, min(len(before), len(after))) - _SHARED, 0)
    return f"{_cut(before, start)} -> {_cut(after, start)}"


def _cut(text: str, start: int) -> str:
    left, right = "..." if start else "", "..." if len(text) > start + _LONGEST else ""
    return f"{left}{text[start : start + _LONGEST]}{right}"
