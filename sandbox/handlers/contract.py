"""What the engine asks of one resource type, and the shapes that pass between them.

One protocol serves both the local engine and the provider of the real `pulumi` command, so that a type is written once.
Nothing here knows a cloud; the handlers and their registry live beside this file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

# camelCase keys as the wire has them; values are JSON, except that assets are `pulumi.Asset` and `Archive` objects
Properties = dict[str, Any]


class Handler(Protocol):
    """One resource type. Instances are shared by threads: registrations arrive concurrently.

    Every method may be repeated after a crash: `create` adopts what an earlier attempt made, `delete` tolerates what is
    gone. Any exception is reported as the failure of that resource and stops the run; a message never holds a value.
    """

    @property
    def replace_on(self) -> frozenset[str]:
        """Input names whose change cannot be made in place."""
        ...

    @property
    def computed(self) -> frozenset[str]:
        """Output names that only the cloud knows, hence unknown in the preview of a create."""
        ...

    def create(self, name: str, inputs: Properties, /) -> tuple[str, Properties]:
        """Make the resource, or adopt it if it exists; returns its id and outputs.

        `name` is the resource's logical name, the physical one where the inputs give none. Answering with the id of
        the resource that is being replaced tells the engine that old and new cannot stand beside each other: it then
        deletes the old one and calls `create` again.
        """
        ...

    def read(self, id_: str, inputs: Properties, /) -> Properties | None:
        """The outputs as the cloud has them now; None when the resource is gone. No effect."""
        ...

    def update(self, id_: str, old_outputs: Properties, inputs: Properties, /) -> Properties:
        """Change in place; returns the outputs. Old outputs come without secret and asset values."""
        ...

    def delete(self, id_: str, outputs: Properties, /) -> None:
        """Remove; nothing there is success. Outputs come without secret and asset values."""
        ...


@runtime_checkable
class Selective(Protocol):
    """A handler that names the inputs it takes; it refuses any other."""

    @property
    def serves(self) -> frozenset[str]:
        """Input names."""
        ...


Handlers = Mapping[str, Handler]
Invokes = Mapping[str, Callable[[Properties], Properties]]
