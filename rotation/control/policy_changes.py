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


def changes(before: str, after: str) -> list[str]:
    """One line per field that differs, in the order of the names; nothing where either document is empty."""
    if not (before and after):
        return []
    old, new = dict(_flat(json.loads(before))), dict(_flat(json.loads(after)))
    return [
        f"{name} {_said(old.get(name))} -> {_said(new.get(name))}"
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
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
