"""Bringing one declared resource about: create, update, replace or leave it, and what the program is told.

Replacement is create-then-delete, the old one being deleted when the whole program has ended, unless the program
asks for the opposite or the new one turns out to be the old one (its handler adopted it: same physical name). Then
dependants that cannot live without it are deleted first, as Pulumi does, and come back when their own registration
arrives.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from sandbox.engine import diff, removal, wire
from sandbox.engine.deployment import Deployment, Op
from sandbox.engine.errors import EngineError
from sandbox.engine.registration import Wish
from sandbox.engine.sealing import is_sealed
from sandbox.engine.state import Entry
from sandbox.engine.urn import PROVIDER_PREFIX


def bring_about(run: Deployment, wanted: Wish) -> tuple[str, wire.Wire]:
    """Do what `wanted` needs; returns id and outputs in wire form. An empty id means: unknown in this preview."""
    started = time.monotonic()
    old = run.state.resources.get(wanted.urn)
    if not wanted.entry.custom or wanted.entry.type.startswith(PROVIDER_PREFIX):
        op, id_, outputs = _without_handler(run, wanted, old)
    else:
        wanted = _keep_ignored(wanted, old)
        op, id_, outputs = _with_handler(run, wanted, old)
    _remember(run, wanted, id_, outputs)
    run.finish(op, wanted.urn, wanted.entry.type, wanted.entry.name, started)
    return id_, outputs


def _without_handler(run: Deployment, wanted: Wish, old: Entry | None) -> tuple[Op, str, wire.Wire]:
    """Components and providers exist in the state only."""
    id_ = wanted.entry.name if wanted.entry.custom else ""
    if old is None:
        return "create", id_, wanted.inputs
    return ("update" if _differing(run, wanted, old) else "same"), id_, wanted.inputs


def _differing(run: Deployment, wanted: Wish, old: Entry) -> frozenset[str]:
    return diff.changed(old.inputs, wanted.entry.inputs, run.sealer.same)


def _keep_ignored(wanted: Wish, old: Entry | None) -> Wish:
    if old is None or not wanted.ignore_changes:
        return wanted
    inputs = diff.keep_ignored(old.inputs, wanted.inputs, wanted.ignore_changes)
    # what was sealed cannot be given to a handler again; it gets the program's value, and the state keeps the old hash
    usable = {
        key: wanted.inputs[key] if is_sealed(value) else value
        for key, value in inputs.items()
        if not is_sealed(value) or key in wanted.inputs
    }
    sealed = diff.keep_ignored(old.inputs, wanted.entry.inputs, wanted.ignore_changes)
    return replace(wanted, inputs=usable, entry=replace(wanted.entry, inputs=sealed))


def _with_handler(run: Deployment, wanted: Wish, old: Entry | None) -> tuple[Op, str, wire.Wire]:
    handler = run.handler(wanted.entry.type)
    if old is None:
        op: Op = "replace" if wanted.urn in run.displaced else "create"
        return op, *_create(run, wanted)
    differing = _differing(run, wanted, old)
    if not differing:
        return "same", old.id, _known_outputs(run, wanted, old)
    if diff.forces_replacement(differing, handler.replace_on, wanted.replace_on_changes):
        return "replace", *_replace(run, wanted, old)
    return "update", old.id, _update(run, wanted, old)


def _create(run: Deployment, wanted: Wish) -> tuple[str, wire.Wire]:
    handler = run.handler(wanted.entry.type)
    if not run.effects:
        unknown = {key: wire.UNKNOWN for key in handler.computed if key not in wanted.inputs}
        return "", {**wanted.inputs, **unknown}
    with run.guarded("create", wanted.urn):
        id_, outputs = handler.create(wanted.entry.name, run.plain(wanted.inputs))
        return id_, _encoded(run, wanted, outputs)


def _update(run: Deployment, wanted: Wish, old: Entry) -> wire.Wire:
    if not run.effects:
        return {**_known_outputs(run, wanted, old), **wanted.inputs}
    handler = run.handler(wanted.entry.type)
    with run.guarded("update", wanted.urn):
        outputs = handler.update(old.id, removal.unsealed(old.outputs), run.plain(wanted.inputs))
        return _encoded(run, wanted, outputs)


def _replace(run: Deployment, wanted: Wish, old: Entry) -> tuple[str, wire.Wire]:
    if old.protect:
        remedy = "remove `protect` from it in one run, then change it in the next"
        raise EngineError("protected", f"{old.urn} is protected and would have to be replaced", remedy)
    if wanted.delete_before_replace:
        removal.delete_first(run, old)
        return _create(run, wanted)
    id_, outputs = _create(run, wanted)
    if run.effects and id_ == old.id:
        removal.delete_first(run, old)
        return _create(run, wanted)
    with run.state.lock:
        # saved together with the new entry: a crash in between must not lose the old one
        run.state.replaced.append(old)
    return id_, outputs


def _encoded(run: Deployment, wanted: Wish, outputs: dict[str, Any]) -> wire.Wire:
    return wire.outputs(outputs, wanted.inputs, run.root, wanted.secret_outputs)


def _known_outputs(run: Deployment, wanted: Wish, old: Entry) -> wire.Wire:
    """The outputs of an unchanged resource; what the state has sealed comes from the inputs, else from the cloud."""
    known = {key: value for key, value in old.outputs.items() if not is_sealed(value)}
    lost = old.outputs.keys() - known.keys()
    from_inputs = {key: wanted.inputs[key] for key in lost & wanted.inputs.keys()}
    missing = lost - from_inputs.keys()
    if missing and not run.effects:
        return {**known, **from_inputs, **dict.fromkeys(missing, wire.UNKNOWN)}
    if missing:
        with run.guarded("read", wanted.urn):
            live = run.handler(old.type).read(old.id, run.plain(wanted.inputs)) or {}
        held = {key: wire.secret(value) for key, value in live.items() if key in missing}
        run.sealer.learn_answer(held, wanted.inputs)
        from_inputs.update(held)
    return {**known, **from_inputs}


def _remember(run: Deployment, wanted: Wish, id_: str, outputs: wire.Wire) -> None:
    run.sealer.learn_answer(outputs, wanted.inputs)
    run.state.put(replace(wanted.entry, id=id_, outputs=run.sealer.seal(outputs)))
