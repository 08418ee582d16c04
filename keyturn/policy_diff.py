"""What differs between two sets of policies, said as a reviewer would: field, before, after, and which way it goes.

Works on documents (`{field: value}`), so that a revision may be older than this command: fields that it did not have
yet stand at today's default, and fields that are not known any more are shown as changed. Not here: where the documents
come from (`policy_revision`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

from keyturn.policy_directions import DIRECTIONS, IDENTITIES, Direction, changed
from keyturn.policy_words import NOTHING, label, said
from rotation.policy import Policy

Document = Mapping[str, Any]

# Fields that are compared part by part: by the part's own field, by what tells one from another.
_PARTS = ("target", "approval")
_LISTS = {"consumers": "name", "waivers": "rule"}


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference. `field`: as policies write it, with the name of a consumer or rule where there are several."""

    policy: str
    field: str
    before: str
    after: str
    direction: Direction

    def __str__(self) -> str:
        return f"{self.policy}: {label(self.field)} {self.before} -> {self.after}: {self.direction}"


def changes(before: Sequence[Document], after: Sequence[Document]) -> list[Change]:
    """Everything that differs, in the order of the names; policies are told from another by their name."""
    old, new = ({document["name"]: _whole(document) for document in side} for side in (before, after))
    found: list[Change] = []
    for name in sorted(old | new):
        found += _of_policy(name, old.get(name), new.get(name))
    return found


def worst(found: Sequence[Change]) -> Direction | None:
    """Weaker if anything is, else changed; None when nothing differs."""
    if not found:
        return None
    weaker = any(change.direction is Direction.WEAKER for change in found)
    return Direction.WEAKER if weaker else Direction.CHANGED


def _whole(document: Document) -> dict[str, Any]:
    """The document with today's defaults for what its revision did not have yet."""
    defaults = {field.name: field.default for field in fields(Policy) if field.default is not MISSING}
    return defaults | dict(document)


def _of_policy(name: str, old: Document | None, new: Document | None) -> Iterator[Change]:
    if old is None or new is None:
        yield _change(name, "policy", _summary(old), _summary(new))
        if new is not None:
            # a new policy must not bring its exceptions in unseen
            yield from _of_list(name, "waivers", (), new["waivers"])
        return
    for field in dict.fromkeys([*old, *new]):
        if field in IDENTITIES:
            continue
        before, after = old.get(field), new.get(field)
        if field in _LISTS:
            yield from _of_list(name, field, before, after)
        elif field in _PARTS and before and after:
            yield from _of_parts(name, field, before, after)
        else:
            yield from _of_value(name, field, field, before, after)


def _of_parts(name: str, field: str, before: Document, after: Document) -> Iterator[Change]:
    for part in dict.fromkeys([*before, *after]):
        kind = f"{field}.{part}"
        old, new = before.get(part), after.get(part)
        if kind == "target.facts":
            for fact in dict.fromkeys([*(old or ()), *(new or ())]):
                place = f"{kind}.{fact}"
                judged = place if place in DIRECTIONS else kind
                yield from _of_value(name, place, judged, (old or {}).get(fact), (new or {}).get(fact))
        else:
            yield from _of_value(name, kind, kind, old, new)


def _of_list(name: str, field: str, before: Any, after: Any) -> Iterator[Change]:
    key = _LISTS[field]
    old, new = ({item[key]: item for item in side or ()} for side in (before, after))
    for one in dict.fromkeys([*old, *new]):
        if one not in old or one not in new:
            yield from _of_value(name, f"{field}.{one}", field, old.get(one), new.get(one))
            continue
        for part in dict.fromkeys([*old[one], *new[one]]):
            kind = f"{field}.{part}"
            yield from _of_value(name, f"{field}.{one}.{part}", kind, old[one].get(part), new[one].get(part))


def _of_value(name: str, field: str, kind: str, before: Any, after: Any) -> Iterator[Change]:
    if _plain(before) != _plain(after):
        yield _change(name, field, before, after, kind)


def _plain(value: Any) -> Any:
    # a document that was read has lists where a policy has tuples
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def _change(name: str, field: str, before: Any, after: Any, kind: str = "") -> Change:
    judge = DIRECTIONS.get(kind or field, changed)
    return Change(
        policy=name,
        field=field,
        before=said(kind or field, before),
        after=said(kind or field, after),
        direction=judge(before, after),
    )


def _summary(document: Document | None) -> str:
    if document is None:
        return ""
    return f"{document['credential']} in {document['store']}, {document['cadence']}"


def markdown(found: Sequence[Change], title: str) -> str:
    """The changes for a pull request: the weaker ones first, as a table."""
    if not found:
        return f"### {title}\n\nNo policy differs.\n"
    order = list(Direction)
    rows = [
        f"| {_cell(c.policy)} | {_cell(label(c.field))} | {_cell(c.before)} | {_cell(c.after)} | {_shown(c)} |"
        for c in sorted(found, key=lambda change: order.index(change.direction))
    ]
    head = ["| policy | field | before | after | |", "|---|---|---|---|---|"]
    weaker = sum(change.direction is Direction.WEAKER for change in found)
    count = f"{len(found)} difference{'s' if len(found) > 1 else ''}, {weaker or 'none'} weaker."
    return "\n".join([f"### {title}", "", count, "", *head, *rows, ""])


def _shown(change: Change) -> str:
    return f"**{change.direction}**" if change.direction is Direction.WEAKER else str(change.direction)


def _cell(text: str) -> str:
    # what a policy says must not become a column, a link or a mention of its own
    plain = text.replace("\n", " ").replace("`", "'").replace("|", "\\|")
    return f"`{plain}`" if plain and plain != NOTHING else plain
