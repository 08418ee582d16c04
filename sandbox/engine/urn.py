"""Names of resources: `urn:pulumi:{stack}::{project}::{type chain}::{name}`.

The chain holds the types of all component parents, outermost first, joined by `$`; the stack itself is not part of it.
Source: https://www.pulumi.com/docs/iac/concepts/resources/names/ . Deliberately not here: who claims a name and when.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_PREFIX = "pulumi:providers:"
# the four parts behind `urn:pulumi:`; a resource's own name may contain `::` again
_PARTS = 4


@dataclass(frozen=True, kw_only=True)
class Urn:
    """The parts of a URN; `chain` is the full qualified type including the parents' types."""

    stack: str
    project: str
    chain: str
    name: str

    def __str__(self) -> str:
        return f"urn:pulumi:{self.stack}::{self.project}::{self.chain}::{self.name}"

    @property
    def type(self) -> str:
        """The resource's own type, without its parents'."""
        return self.chain.rsplit("$", 1)[-1]


def parse(text: str) -> Urn:
    """The parts of `text`; ValueError when it is no URN."""
    parts = text.removeprefix("urn:pulumi:").split("::", _PARTS - 1)
    if not text.startswith("urn:pulumi:") or len(parts) != _PARTS:
        raise ValueError(f"{text!r} is not a URN")
    stack, project, chain, name = parts
    return Urn(stack=stack, project=project, chain=chain, name=name)


def child(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """The URN of a resource below `parent` (a URN, or empty for none)."""
    chain = parse(parent).chain if parent else STACK_TYPE
    qualified = type_ if chain == STACK_TYPE else f"{chain}${type_}"
    return str(Urn(stack=stack, project=project, chain=qualified, name=name))


@dataclass(frozen=True, kw_only=True)
class Alias:
    """An earlier name: a whole `urn`, or only those parts that were different. `parent` None means: as it is now."""

    urn: str = ""
    name: str = ""
    type: str = ""
    stack: str = ""
    project: str = ""
    parent: str | None = None


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a resource stands now, and what its parent was called before."""

    stack: str
    project: str
    parent: str
    type: str
    name: str
    parent_aliases: tuple[str, ...] = ()


def earlier_names(place: Place, aliases: Iterable[Alias]) -> list[str]:
    """Every URN that the resource may have had, own aliases first, then those inherited from its parent."""
    now = child(place.stack, place.project, place.parent, place.type, place.name)
    found = [urn for alias in (*aliases, Alias()) for urn in _spellings(place, alias)]
    return list(dict.fromkeys(urn for urn in found if urn != now))


def _spellings(place: Place, alias: Alias) -> Iterator[str]:
    if alias.urn:
        yield alias.urn
        return
    stack, project = alias.stack or place.stack, alias.project or place.project
    type_, name = alias.type or place.type, alias.name or place.name
    parents = (place.parent, *place.parent_aliases) if alias.parent is None else (alias.parent,)
    for parent in parents:
        yield child(stack, project, parent, type_, _inherited_name(place.parent, parent, name))


def _inherited_name(parent_now: str, parent_before: str, name: str) -> str:
    """Children are often named after their parent: `app-role` below `app` was `web-role` when `app` was `web`."""
    if not parent_now or not parent_before:
        return name
    now, before = parse(parent_now).name, parse(parent_before).name
    return before + name.removeprefix(now) if name.startswith(now) else name
