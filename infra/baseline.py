"""The stored picture of a stack's declaration, and what differs from it: additions, removals, changed fields.

Types, names, options and inputs, normalised so that only a meant change shows: JSON texts are read, files and machine
definitions stand as digests or marks. No value and nothing a cloud made up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from infra.config import ROOT
from infra.recording import Recorded

FOLDER = ROOT / "infra" / "baselines"
# Enough of a digest to tell two definitions apart.
_DIGEST_CHARS = 12
_ABSENT = "(absent)"

Picture = dict[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One difference: `kind` is added, removed or changed; `path` leads to the changed field (empty otherwise)."""

    kind: str
    resource: str
    path: str = ""
    before: Any = None
    after: Any = None


def picture(resources: Sequence[Recorded]) -> Picture:
    """The normalised form of a recording, by URN without stack and project."""
    return {
        resource.urn.split("::", 2)[2]: {
            "inputs": {name: normal(name, value) for name, value in sorted(resource.inputs.items())},
            "protect": resource.protect,
            "ignoreChanges": list(resource.ignore_changes),
        }
        for resource in sorted(resources, key=lambda one: one.urn)
    }


def normal(name: str, value: Any) -> Any:
    """An input in a form that compares and reads well."""
    if isinstance(value, (pulumi.Asset, pulumi.Archive)):
        return "<file>"
    if isinstance(value, Mapping):
        return {key: normal(key, item) for key, item in sorted(value.items())}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [normal(name, item) for item in value]
    return _normal_text(name, value) if isinstance(value, str) else value


def _normal_text(name: str, text: str) -> Any:
    if name == "definition":
        return f"<definition {hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARS]}>"
    if text[:1] in ("{", "["):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text.splitlines() if "\n" in text else text


def path_of(stack: str, folder: Path = FOLDER) -> Path:
    """Where the stack's baseline is stored."""
    return folder / f"{stack}.json"


def load(stack: str, folder: Path = FOLDER) -> Picture | None:
    """The stored picture; None when there is none yet."""
    path = path_of(stack, folder)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def save(stack: str, current: Picture, folder: Path = FOLDER) -> None:
    """Store the picture, one field a line."""
    folder.mkdir(exist_ok=True)
    path_of(stack, folder).write_text(json.dumps(current, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def differences(before: Picture, after: Picture) -> list[Difference]:
    """What changed, in order of the resources."""
    found = []
    for key in sorted(before.keys() | after.keys()):
        if key not in before:
            found.append(Difference(kind="added", resource=key))
        elif key not in after:
            found.append(Difference(kind="removed", resource=key))
        else:
            found += [
                Difference(kind="changed", resource=key, path=path, before=old, after=new)
                for path, old, new in _changes(before[key], after[key], "")
            ]
    return found


def _changes(before: Any, after: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            yield from _changes(before.get(key, _ABSENT), after.get(key, _ABSENT), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _list_changes(before, after, path)
    elif before != after:
        yield path, before, after


def _list_changes(before: list[Any], after: list[Any], path: str) -> Iterator[tuple[str, Any, Any]]:
    """Statements are paired by their Sid; of other lists, what went and what came."""
    named = [_by_sid(before), _by_sid(after)]
    if named[0] and named[1]:
        for sid in sorted(named[0].keys() | named[1].keys()):
            yield from _changes(named[0].get(sid, _ABSENT), named[1].get(sid, _ABSENT), f"{path}[{sid}]")
    elif before != after:
        gone = [item for item in before if item not in after]
        come = [item for item in after if item not in before]
        # the same items in another order
        yield (path, gone, come) if gone or come else (path, before, after)


def _by_sid(items: list[Any]) -> dict[str, Any]:
    sids = {item["Sid"]: item for item in items if isinstance(item, dict) and "Sid" in item}
    return sids if len(sids) == len(items) else {}
