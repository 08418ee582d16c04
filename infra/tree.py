"""Recorded resources as a tree to read, and differences as lines: what a reviewer sees of a stack."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text
from rich.tree import Tree

from infra.baseline import Difference
from infra.recording import Recorded

_COLOURS = {"added": "green", "removed": "red", "changed": "yellow"}
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def tree(stack: str, resources: Sequence[Recorded]) -> Tree:
    """Components with what they hold, each with the options that matter to a reviewer."""
    below: dict[str, list[Recorded]] = defaultdict(list)
    known = {resource.urn for resource in resources}
    for resource in resources:
        below[resource.parent if resource.parent in known else ""].append(resource)
    root = Tree(f"[bold]{stack}[/bold]: {sum(one.custom for one in resources)} resources")
    _grow(root, "", below)
    return root


def _grow(branch: Tree, parent: str, below: dict[str, list[Recorded]]) -> None:
    for resource in sorted(below[parent], key=lambda one: (one.type, one.name)):
        _grow(branch.add(_label(resource)), resource.urn, below)


def _label(resource: Recorded) -> str:
    package, _, rest = resource.type.partition(":")
    kind = rest.rpartition(":")[2]
    options = ["protected"] if resource.protect else []
    options += [f"ignores {', '.join(resource.ignore_changes)}"] if resource.ignore_changes else []
    said = f" [dim]({'; '.join(options)})[/dim]" if options else ""
    source = "" if package == "keyturn" else f"[dim]{package}[/dim] "
    return f"{source}[cyan]{escape(kind)}[/cyan] {escape(resource.name)}{said}"


def differences_shown(found: Sequence[Difference]) -> RenderableType:
    """One line a difference, with the field and its two values."""
    return Group(*(_line(one) for one in found))


def _line(one: Difference) -> Text:
    changed = f" {one.path}: {one.before} -> {one.after}" if one.kind == "changed" else ""
    return Text(f"{_SIGNS[one.kind]} {one.resource}{changed}", style=_COLOURS[one.kind])
