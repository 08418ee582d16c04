"""A program's wish for one resource, read off the wire.

Everything a step needs to know about a registration, and nothing of the protocol. Options that the engine cannot
honour are refused here, by name, rather than dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.engine import default_tags, wire
from sandbox.engine import urn as names
from sandbox.engine.deployment import Deployment, Recorded
from sandbox.engine.errors import EngineError
from sandbox.engine.sealing import readable
from sandbox.engine.state import Entry


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One registration. `entry` is what the state will say, outputs and id still empty; `inputs` are wire values."""

    entry: Entry
    inputs: wire.Wire
    ignore_changes: tuple[str, ...]
    replace_on_changes: tuple[str, ...]
    delete_before_replace: bool
    secret_outputs: frozenset[str]

    @property
    def urn(self) -> str:
        """The resource's name."""
        return self.entry.urn


def urn_of(run: Deployment, request: Any) -> str:
    """The URN of a registration or read request."""
    return names.child(run.state.stack, run.state.project, request.parent, request.type, request.name)


def wish(run: Deployment, request: Any) -> Wish:
    """Claim the resource's URN, take over its state under an earlier name, and read the request."""
    urn = urn_of(run, request)
    _refuse_unsupported(request, urn)
    run.claim(urn)
    _adopt_alias(run, request, urn)
    inputs = _inputs(run, request, urn)
    run.sealer.learn(inputs)
    entry = _entry(request, urn)
    entry.inputs = run.sealer.seal(inputs)
    wanted = Wish(
        entry=entry,
        inputs=inputs,
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        delete_before_replace=request.deleteBeforeReplace,
        secret_outputs=frozenset(request.additionalSecretOutputs),
    )
    with run.lock:
        run.recorded.append(_recorded(request, wanted))
    return wanted


def _inputs(run: Deployment, request: Any, urn: str) -> wire.Wire:
    inputs = wire.from_struct(request.object)
    if request.type.startswith(names.PROVIDER_PREFIX):
        run.default_tags[urn] = default_tags.of_provider(inputs)
    provider = request.provider.rpartition("::")[0]
    return default_tags.merged(inputs, run.default_tags.get(provider, {}), run.handlers.get(request.type))


def _refuse_unsupported(request: Any, urn: str) -> None:
    asked = {"import": request.importId, "a remote component": request.remote, "resource hooks": str(request.hooks)}
    for what, value in asked.items():
        if value:
            remedy = "declare it on stacks with the real command only"
            raise EngineError("unsupported_option", f"the local engine does not do {what}: {urn}", remedy)


def _adopt_alias(run: Deployment, request: Any, urn: str) -> None:
    place = names.Place(
        stack=run.state.stack,
        project=run.state.project,
        parent=request.parent,
        type=request.type,
        name=request.name,
        parent_aliases=run.former_names.get(request.parent, ()),
    )
    candidates = names.earlier_names(place, [*map(_alias, request.aliases), *map(_alias_urn, request.aliasURNs)])
    with run.state.lock:
        run.former_names[urn] = tuple(candidates)
        before = next((name for name in candidates if name in run.state.resources and name not in run.claimed), None)
        if before is not None and urn not in run.state.resources:
            run.state.rename(before, urn)


def _alias(alias: Any) -> names.Alias:
    if alias.urn:
        return names.Alias(urn=alias.urn)
    spec = alias.spec
    parent = "" if spec.noParent else spec.parentUrn or None
    return names.Alias(name=spec.name, type=spec.type, stack=spec.stack, project=spec.project, parent=parent)


def _alias_urn(urn: str) -> names.Alias:
    return names.Alias(urn=urn)


def _entry(request: Any, urn: str) -> Entry:
    by_property = {key: sorted(found.urns) for key, found in sorted(request.propertyDependencies.items())}
    needed = {*request.dependencies, *(name for found in by_property.values() for name in found)}
    needed |= {request.parent, request.provider.rpartition("::")[0], request.deletedWith} - {""}
    return Entry(
        urn=urn,
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent=request.parent,
        provider=request.provider,
        dependencies=sorted(needed),
        property_dependencies={key: found for key, found in by_property.items() if found},
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        deleted_with=request.deletedWith,
    )


def _recorded(request: Any, wanted: Wish) -> Recorded:
    entry = wanted.entry
    options = {
        "protect": entry.protect,
        "retainOnDelete": entry.retain_on_delete,
        "deletedWith": entry.deleted_with,
        "deleteBeforeReplace": wanted.delete_before_replace,
        "ignoreChanges": list(wanted.ignore_changes),
        "replaceOnChanges": list(wanted.replace_on_changes),
        "additionalSecretOutputs": sorted(wanted.secret_outputs),
        "aliases": [alias.urn or {"name": alias.spec.name, "type": alias.spec.type} for alias in request.aliases],
        "provider": entry.provider,
        "dependencies": sorted(request.dependencies),
    }
    return Recorded(
        urn=entry.urn,
        type=entry.type,
        name=entry.name,
        parent=entry.parent,
        custom=entry.custom,
        inputs=readable(entry.inputs),
        options={key: value for key, value in options.items() if value},
    )
