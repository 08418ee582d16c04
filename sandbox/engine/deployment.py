"""One run of the engine: what it was given, what it has done so far, and the first thing that went wrong.

Shared by the threads that serve the program. The first failure stops further registrations, so that a run that cannot
succeed does not go on changing things; what was under way ends and is recorded.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sandbox.engine import wire
from sandbox.engine.errors import EngineError
from sandbox.engine.sealing import Sealer
from sandbox.engine.state import State
from sandbox.handlers.contract import Handler, Handlers, Invokes

Op = Literal["create", "update", "replace", "same", "delete", "retain"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One resource that the engine has finished with. `retain`: forgotten, and left alone in the cloud."""

    op: Op
    urn: str
    type: str
    name: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One resource as the program declared it.

    `inputs` are plain values; secrets read `[secret]`, files `{"sha256": ...}`, and `UNKNOWN` stands for what a preview
    cannot know. `options` holds only those that were set, by Pulumi's camelCase names.
    """

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    inputs: dict[str, Any]
    options: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run did: operation per URN, stack outputs (secrets read `[secret]`), declared resources, warnings."""

    ops: Mapping[str, Op]
    outputs: Mapping[str, Any]
    resources: tuple[Recorded, ...] = ()
    messages: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Deployment:
    """The run's shared data. `effects` is False in a preview."""

    state: State
    sealer: Sealer
    handlers: Handlers
    invokes: Invokes
    root: Path
    effects: bool
    on_step: Callable[[Step], None] | None = None
    claimed: set[str] = field(default_factory=set)
    # URNs deleted in this run because what they depend on had to be deleted first; they come back as replacements
    displaced: set[str] = field(default_factory=set)
    # default tags of the providers registered so far, by the provider's URN
    default_tags: dict[str, dict[str, str]] = field(default_factory=dict)
    former_names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ops: dict[str, Op] = field(default_factory=dict)
    recorded: list[Recorded] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    outputs_arrived: bool = False
    failure: EngineError | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)

    def handler(self, type_: str) -> Handler:
        """The handler of a type; EngineError `unknown_type` names it."""
        try:
            return self.handlers[type_]
        except KeyError:
            remedy = "add a handler for it to sandbox/handlers, or declare it on other stacks only"
            raise EngineError("unknown_type", f"the sandbox cannot make {type_}", remedy) from None

    def claim(self, urn: str) -> None:
        """Reserve a URN before anything happens for it; a second resource of that name is refused."""
        with self.lock:
            if self.failure is not None:
                raise EngineError("run_stopped", f"not begun, because an earlier step failed: {urn}")
            if urn in self.claimed:
                raise EngineError("duplicate_urn", f"two resources are called {urn}", "rename one of them")
            self.claimed.add(urn)

    def fail(self, error: EngineError) -> None:
        """Keep the first failure."""
        with self.lock:
            self.failure = self.failure or error

    def finish(self, op: Op, urn: str, type_: str, name: str, started: float) -> None:
        """Record an operation and tell who listens; `started` is on the monotonic clock."""
        with self.lock:
            self.ops[urn] = op
            if self.on_step is not None:
                self.on_step(Step(op=op, urn=urn, type=type_, name=name, seconds=time.monotonic() - started))

    def plain(self, properties: dict[str, Any]) -> dict[str, Any]:
        """Wire properties as a handler gets them."""
        return {key: wire.plain(value, self.root) for key, value in properties.items()}

    @contextmanager
    def guarded(self, doing: str, urn: str) -> Iterator[None]:
        """Turn whatever a handler raises into an EngineError that names the resource and holds no secret."""
        try:
            yield
        except EngineError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever a handler raises is that resource's failure
            said = f"{type(error).__name__}: {error}"
            clean = self.sealer.scrub(said)
            raise EngineError("resource_failed", f"{doing} failed for {urn}: {clean}") from (
                error if clean == said else None
            )
