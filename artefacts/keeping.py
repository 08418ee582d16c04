"""A zip is kept while all that its bytes depend on stays as it was, and one process at a time makes it.

Every deployment asks for the zips, several at once in the tests; reading the modules and compiling them takes seconds.
What was made of what stands in a small file beside the zip, with the digest of the zip itself, so that a zip that was
changed by hand is made again. Deliberately not here: how a zip is made (`build`), and its dependencies' own keeping.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from artefacts import bytecode


def made_of(sources: Mapping[str, bytes], tree: list[str], dependencies: Path) -> str:
    """A digest of everything that decides a zip's bytes and whether it may be made.

    `sources` are the shipped files by path, `tree` all files of the package, `dependencies` a zip that is named by its
    own content.
    """
    digest = hashlib.sha256(f"{sys.version} {bytecode.is_possible()} {dependencies.name} {sorted(tree)}".encode())
    builder = {path.name: path.read_bytes() for path in Path(__file__).parent.glob("*.py")}
    for files in (sources, builder):
        for name in sorted(files):
            digest.update(f"{name}\0{hashlib.sha256(files[name]).hexdigest()}\n".encode())
    return digest.hexdigest()


def kept(path: Path, wanted: str) -> dict[str, Any] | None:
    """What `keep` was told of the zip at `path`, if it was made of `wanted` and is what it was then."""
    try:
        note = json.loads(_note(path).read_text(encoding="utf-8"))
        is_same = (note["made_of"], note["sha256"]) == (wanted, hashlib.sha256(path.read_bytes()).hexdigest())
        return dict(note["facts"]) if is_same else None
    except (OSError, ValueError, KeyError, TypeError):
        # no note, or none that was written here: the zip is made again
        return None


def keep(path: Path, wanted: str, sha256: str, facts: Mapping[str, Any]) -> None:
    """Note what the zip at `path` was made of, and what is known of it."""
    draft = path.with_name(f".{path.name}.note.{os.getpid()}")
    draft.write_text(json.dumps({"made_of": wanted, "sha256": sha256, "facts": facts}), encoding="utf-8")
    draft.replace(_note(path))


@contextmanager
def alone(folder: Path, name: str) -> Iterator[None]:
    """Wait for whoever makes `name` in `folder`; the kernel lets go when its holder dies (flock(2))."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _note(path: Path) -> Path:
    return path.with_name(f".{path.name}.note")
