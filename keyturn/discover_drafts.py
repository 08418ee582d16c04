"""Policies to begin with, one file per secret that was found: what the store told is filled in, the rest says TODO.

What no store can tell (target, credential type, cadence, runbook) is written so that `keyturn policy lint` refuses it;
nobody gets a rotation by accident. A file that is there is never written over.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from keyturn.discover_found import Found
from policy_rules.rule import file_of
from rotation.errors import Refused

TODO = "TODO"
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_/-]+")
# Where a part of a name may begin (`policy_rules.places`).
_EDGES = re.compile(r"(^|(?<=/))[^A-Za-z0-9]+|/+$")
_TEXT = '''"""TODO: what this credential is, and who accepts it. A draft of `keyturn discover`: nothing follows it."""

from rotation.policy import Policy, Target

# Found in the store {store}: {facts}.
{constant} = Policy(
    name={name},
    store={store},
    path={path},
    # TODO: the kind of the issuer, see docs/policies.md
    credential="TODO",
    # TODO: such as rate(30 days)
    cadence="TODO",
    # TODO: seconds between a passed test and promotion, and seconds that old and new are both accepted
    warm_up_s=0,
    overlap_s=0,
    # TODO: where the credential is accepted, and the secret of this store that may change it there
    target=Target(facts={{}}, authority=""),
    # TODO: who reads it, and how each learns of a new one{readers}
    consumers=(),
    owner={owner},{owner_todo}
    runbook="TODO",
)
'''


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A file. `written` is False where it was there before, and was left alone."""

    store: str
    path: str
    file: Path
    written: bool


def write_drafts(found: Sequence[Found], folder: Path) -> list[Draft]:
    """A draft of each; Refused `drafts_unwritable` when the folder cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_written(one, folder) for one in found]
    except OSError as exc:
        said = f"{folder} cannot be written to ({exc.strerror})"
        raise Refused("drafts_unwritable", said, "name another folder with --drafts") from exc


def _written(one: Found, folder: Path) -> Draft:
    file = folder / Path(file_of(name_of(one))).name
    if file.exists() and f"path={one.path!r}" not in file.read_text(encoding="utf-8"):
        # a secret of another store, or one whose name differs in signs that a file's name does not keep
        file = file.with_name(f"{file.stem}_{one.store}.py")
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text_of(one))
    except FileExistsError:
        return Draft(store=one.store, path=one.path, file=file, written=False)
    return Draft(store=one.store, path=one.path, file=file, written=True)


def name_of(one: Found) -> str:
    """A name as policies have it: the store's path without what a name may not hold."""
    path = one.path.partition("/")[2] if one.store == "vault" else one.path
    name = _EDGES.sub("", _NOT_IN_A_NAME.sub("-", path))
    return name or "unnamed"


def text_of(one: Found) -> str:
    """The draft. Everything that comes from a store stands in it as a literal, so that no name can be code."""
    told = {"created": one.created, "changed": one.changed, "last read": one.accessed}
    facts = [f"{what} {when:%Y-%m-%d}" for what, when in told.items() if when]
    readers = f"; it may be read by {', '.join(map(repr, one.readers))}" if one.readers else ""
    return _TEXT.format(
        store=repr(one.store),
        facts=", ".join(facts) or "it tells no times",
        constant=re.sub(r"[^A-Z0-9]+", "_", f"DRAFT_{name_of(one)}".upper()).strip("_"),
        name=repr(name_of(one)),
        path=repr(one.path),
        readers=readers,
        owner=repr(one.owner),
        owner_todo="" if one.owner else "  # TODO: the team that answers for it",
    )
