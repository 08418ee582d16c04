"""Deleting: what the program no longer declares, what was replaced, and everything at the end of a stack.

Always in reverse dependency order, one at a time, the state saved after each, and never begun when anything
protected is among it. When removal starts is decided in `engine.py`; the one exception is a replacement that must
delete first.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from sandbox.engine.deployment import Deployment
from sandbox.engine.errors import EngineError
from sandbox.engine.sealing import is_sealed
from sandbox.engine.state import Entry
from sandbox.engine.urn import PROVIDER_PREFIX


def unsealed(outputs: dict[str, Any]) -> dict[str, Any]:
    """Stored outputs as a handler gets them: without what the state does not hold in the clear."""
    return {key: value for key, value in outputs.items() if not is_sealed(value)}


def remove_unclaimed(run: Deployment) -> None:
    """After a program that ended well: delete what it replaced and what it declares no more.

    An entry whose physical resource now belongs to another name (the handler adopted it there) is only forgotten.
    """
    current = {(entry.type, entry.id) for urn, entry in run.state.resources.items() if urn in run.claimed and entry.id}
    gone = [entry for urn, entry in run.state.resources.items() if urn not in run.claimed]
    chosen = [*gone, *run.state.replaced]
    for entry in chosen:
        entry.retain_on_delete |= (entry.type, entry.id) in current
    remove(run, chosen)


def remove(run: Deployment, entries: Iterable[Entry]) -> None:
    """Delete `entries`, dependants first. EngineError `protected` names every protected one, before any is touched."""
    chosen = list(entries)
    refuse_protected(chosen)
    leaving = {entry.urn for entry in chosen}
    for entry in in_order(chosen):
        _delete(run, entry, with_owner=entry.deleted_with in leaving)


def refuse_protected(entries: Iterable[Entry]) -> None:
    """EngineError when one of them must not be deleted."""
    protected = sorted(entry.urn for entry in entries if entry.protect)
    if protected:
        remedy = "remove `protect` from them in one run, then remove them in the next"
        raise EngineError("protected", f"protected, and would be deleted: {', '.join(protected)}", remedy)


def in_order(entries: list[Entry]) -> list[Entry]:
    """Dependants before what they depend on; among equals, later registrations first."""
    left, ordered = list(entries), []
    while left:
        needed = {urn for entry in left for urn in entry.dependencies if urn != entry.urn}
        free = [entry for entry in reversed(left) if entry.urn not in needed]
        # an old entry and its successor can need each other only by name; then the later one goes first
        for entry in free or [left[-1]]:
            ordered.append(entry)
            left.remove(entry)
    return ordered


def delete_first(run: Deployment, old: Entry) -> None:
    """Delete `old` ahead of its successor, and before it the dependants that will have to be replaced for it."""
    dependants = _displaced_by(run, old)
    refuse_protected(dependants)
    for entry in in_order(dependants):
        run.displaced.add(entry.urn)
        _delete(run, entry, with_owner=False, quiet=True)
    _delete_in_cloud(run, old)


def _displaced_by(run: Deployment, old: Entry) -> list[Entry]:
    """Entries yet to be seen whose property from `old`, or from one of these, cannot change in place."""
    found: dict[str, Entry] = {}
    lost = [old.urn]
    while lost:
        urn = lost.pop()
        for entry in _awaited(run):
            keys = {key for key, urns in entry.property_dependencies.items() if urn in urns}
            if entry.urn not in found and keys & run.handler(entry.type).replace_on:
                found[entry.urn] = entry
                lost.append(entry.urn)
    return list(found.values())


def _awaited(run: Deployment) -> list[Entry]:
    with run.state.lock:
        return [entry for entry in run.state.resources.values() if entry.urn not in run.claimed and _is_real(entry)]


def _is_real(entry: Entry) -> bool:
    return entry.custom and not entry.type.startswith(PROVIDER_PREFIX)


def _delete(run: Deployment, entry: Entry, *, with_owner: bool, quiet: bool = False) -> None:
    """`with_owner`: goes with what it lives in. `quiet`: part of a replacement that will be reported as such."""
    started = time.monotonic()
    if not with_owner:
        _delete_in_cloud(run, entry)
    was_replaced = any(old is entry for old in run.state.replaced)
    with run.state.lock:
        if was_replaced:
            run.state.replaced[:] = [old for old in run.state.replaced if old is not entry]
        else:
            run.state.resources.pop(entry.urn, None)
        run.state.save()
    if not quiet and not was_replaced:
        run.finish("retain" if entry.retain_on_delete else "delete", entry.urn, entry.type, entry.name, started)


def _delete_in_cloud(run: Deployment, entry: Entry) -> None:
    if run.effects and _is_real(entry) and not entry.retain_on_delete:
        with run.guarded("delete", entry.urn):
            run.handler(entry.type).delete(entry.id, unsealed(entry.outputs))
