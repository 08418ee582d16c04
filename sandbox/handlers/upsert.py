"""The shape of nearly every handler: making and changing are one verb, `put`, so an interrupted run can be repeated.

A type supplies `put` (bring it about, whatever is there already), `look` (what the cloud says now) and `remove`. The
four verbs of the protocol follow from these, and with them the rules that all types share: an input that would be
dropped in silence is an error, absent inputs are absent, what is gone is None to `read` and success to `delete`.
Deliberately not here: anything of one cloud (`aws_calls.py`, `vault.py`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from sandbox.handlers.contract import Properties


class Upsert(ABC):
    """A resource type whose `put` may be repeated. Instances are shared by threads and keep no state of their own."""

    # the inputs this type serves; any other one is refused by name
    serves: ClassVar[frozenset[str]]
    replace_on: frozenset[str] = frozenset()
    computed: frozenset[str] = frozenset()
    # the input that becomes the logical name where the program gives none
    named_by: ClassVar[str] = ""

    def create(self, name: str, inputs: Properties, /) -> tuple[str, Properties]:
        """Make it, or adopt what is there and bring it to the wished state."""
        wished = self.wished(inputs, name)
        id_ = self.put(wished)
        return id_, self._now(id_, wished)

    def read(self, id_: str, inputs: Properties, /) -> Properties | None:
        """The inputs, overlaid with what the cloud says now; None when it is gone."""
        wished = self.wished(inputs)
        live = self.look(id_, wished)
        return None if live is None else self._with_tags({**wished, **live})

    def update(self, id_: str, old_outputs: Properties, inputs: Properties, /) -> Properties:
        """Bring it to the wished state; what is missing by now is made again."""
        wished = self.wished(inputs, str(old_outputs.get(self.named_by, "")))
        self.put(wished)
        return self._now(id_, wished)

    def delete(self, id_: str, outputs: Properties, /) -> None:
        """Remove it; nothing there is success."""
        self.remove(id_, outputs)

    def wished(self, inputs: Properties, name: str = "") -> Properties:
        """The inputs that were given; ValueError names those that this type does not serve."""
        given = {key: value for key, value in inputs.items() if value is not None}
        unknown = sorted(given.keys() - self.serves)
        if unknown:
            raise ValueError(f"the sandbox does not serve {', '.join(unknown)} of {type(self).__name__}")
        if self.named_by and name:
            given.setdefault(self.named_by, name)
        return given

    @abstractmethod
    def put(self, wished: Properties, /) -> str:
        """Bring the wished state about, from whatever is there; returns the id."""

    @abstractmethod
    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """Outputs as the cloud has them, at least those that only it knows; None when it is gone. No effect."""

    @abstractmethod
    def remove(self, id_: str, outputs: Properties, /) -> None:
        """Remove it, tolerating that it is gone."""

    def _now(self, id_: str, wished: Properties) -> Properties:
        live = self.look(id_, wished)
        if live is None:
            raise LookupError(f"{id_} was put, and is not there")
        return self._with_tags({**wished, **live})

    def _with_tags(self, outputs: Properties) -> Properties:
        return {**outputs, "tagsAll": outputs.get("tags", {})} if "tags" in self.serves else outputs
