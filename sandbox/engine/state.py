"""What the last run left behind: one JSON file per stack, written whole and atomically after every step.

A run that is killed at any point finds, in the file, every resource whose making had been answered; one whose
answer was lost is made again and adopted by its handler. The write is atomic against a killed process, not against
a power cut (no fsync: the cloud it describes lives in the memory of the same machine). Deliberately not here:
secrets and file contents.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.engine.errors import EngineError

_FORMAT = 1
# as long as the hash it keys
_KEY_BYTES = 32
# only the owner may read hashes of secrets
_PRIVATE = 0o600


@dataclass(kw_only=True)
class Entry:
    """One resource as the last run left it; `inputs` and `outputs` are sealed."""

    urn: str
    type: str
    name: str
    custom: bool
    id: str = ""
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    parent: str = ""
    provider: str = ""
    # every URN this one needs: explicit, by property, parent and provider
    dependencies: list[str] = field(default_factory=list)
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    protect: bool = False
    retain_on_delete: bool = False
    deleted_with: str = ""


@dataclass(kw_only=True)
class State:
    """The stack's resources by URN, those already replaced but not yet deleted, and the stack's outputs (sealed)."""

    project: str
    stack: str
    path: Path
    key: str
    resources: dict[str, Entry] = field(default_factory=dict)
    replaced: list[Entry] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    # False in a preview: nothing reaches the disk
    durable: bool = True
    lock: threading.RLock = field(default_factory=threading.RLock)

    def save(self) -> None:
        """Write everything, readable by the owner only; the file is either the old or the new one."""
        if not self.durable:
            return
        with self.lock:
            document = {
                "format": _FORMAT,
                "project": self.project,
                "stack": self.stack,
                "key": self.key,
                "outputs": self.outputs,
                "resources": [vars(entry) for entry in self.resources.values()],
                "replaced": [vars(entry) for entry in self.replaced],
            }
            # without copies and without indentation: written after every step, and ten times as fast
            _write(self.path, json.dumps(document))

    def put(self, entry: Entry) -> None:
        """Remember `entry` in place of what its URN was before; saves only when that makes a difference."""
        with self.lock:
            if self.resources.get(entry.urn) != entry:
                self.resources[entry.urn] = entry
                self.save()

    def rename(self, before: str, now: str) -> None:
        """Move an entry to its new URN, and everything that refers to it."""
        with self.lock:
            moved = self.resources.pop(before)
            moved.urn = now
            self.resources[now] = moved
            for entry in (*self.resources.values(), *self.replaced):
                _refer(entry, before, now)
            self.save()


def _refer(entry: Entry, before: str, now: str) -> None:
    entry.parent = now if entry.parent == before else entry.parent
    entry.deleted_with = now if entry.deleted_with == before else entry.deleted_with
    entry.provider = entry.provider.replace(f"{before}::", f"{now}::")
    entry.dependencies = [now if urn == before else urn for urn in entry.dependencies]
    entry.property_dependencies = {
        key: [now if urn == before else urn for urn in urns] for key, urns in entry.property_dependencies.items()
    }


def load(path: Path, project: str, stack: str, *, durable: bool = True) -> State:
    """The state at `path`, a new one where there is none. EngineError when it is damaged or another stack's."""
    if not path.exists():
        key = secrets.token_hex(_KEY_BYTES)
        return State(project=project, stack=stack, path=path, key=key, durable=durable)
    document = read(path)
    if (document["project"], document["stack"]) != (project, stack):
        owner = f"{document['project']}/{document['stack']}"
        raise EngineError("state_of_another_stack", f"{path.name} holds the state of {owner}, not {project}/{stack}")
    return State(
        project=project,
        stack=stack,
        path=path,
        key=document["key"],
        resources={entry["urn"]: Entry(**entry) for entry in document["resources"]},
        replaced=[Entry(**entry) for entry in document["replaced"]],
        outputs=document["outputs"],
        durable=durable,
    )


def read(path: Path) -> dict[str, Any]:
    """The file's document; EngineError `state_damaged` when it is none, because guessing would delete everything."""
    try:
        document = json.loads(path.read_text())
    except ValueError:
        document = None
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        remedy = "restore the file, or take the sandbox down (`keyturn sandbox down`) and start it anew"
        raise EngineError("state_damaged", f"{path.name} is not a state file of this engine", remedy)
    return document


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the stack for one run; the system frees it when the process ends, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            remedy = "wait until it has ended"
            raise EngineError("state_locked", f"another run is changing {path.name}", remedy) from None
        yield


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE), "w") as stream:  # noqa: PTH123
        stream.write(text)
    draft.replace(path)
