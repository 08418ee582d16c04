"""A cloud of one type, `test:index:Thing`, for the engine's tests: in memory, or in a folder that outlives an engine.

A thing's physical name is its input `name`, else its logical name; creating one that exists adopts it.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any, ClassVar

TYPE = "test:index:Thing"

# what every test program begins with
PRELUDE = """
import pulumi


class Thing(pulumi.CustomResource):
    arn: pulumi.Output[str]
    size: pulumi.Output[int]

    # `name` is an input here: the physical name
    def __init__(self, logical, opts=None, **props):
        super().__init__("test:index:Thing", logical, {**props, "arn": None}, opts)


class Group(pulumi.ComponentResource):
    def __init__(self, name, opts=None, kind="test:index:Group"):
        super().__init__(kind, name, None, opts)


config = pulumi.Config()
"""


class Things:
    """The handler; `log` holds every effect in order as `verb name`."""

    replace_on: ClassVar[frozenset[str]] = frozenset({"kind", "name", "owner"})
    computed: ClassVar[frozenset[str]] = frozenset({"arn"})

    def __init__(self) -> None:
        self.there: dict[str, dict[str, Any]] = {}
        self.log: list[str] = []
        self.seen_by_delete: dict[str, dict[str, Any]] = {}
        self.lock = threading.Lock()

    def create(self, name: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        physical = inputs.get("name", name)
        with self.lock:
            adopted = physical in self.there
            self.there.setdefault(physical, inputs)
            self.log.append(f"{'adopt' if adopted else 'create'} {physical}")
        return physical, self._outputs(physical, inputs)

    def read(self, id_: str, inputs: dict[str, Any]) -> dict[str, Any] | None:
        return self._outputs(id_, self.there[id_]) if id_ in self.there else None

    def update(self, id_: str, old_outputs: dict[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            self.there[id_] = inputs
            self.log.append(f"update {id_}")
        return self._outputs(id_, inputs)

    def delete(self, id_: str, outputs: dict[str, Any]) -> None:
        with self.lock:
            self.there.pop(id_, None)
            self.seen_by_delete[id_] = outputs
            self.log.append(f"delete {id_}")

    def _outputs(self, id_: str, inputs: dict[str, Any]) -> dict[str, Any]:
        return {**inputs, "arn": f"arn:{id_}"}


class ThingsOnDisk(Things):
    """One file per thing, made exclusively; kills its own process, by signal 9, right after making `fatal`."""

    def __init__(self, folder: Path, fatal: str = "") -> None:
        super().__init__()
        self.folder = folder
        self.fatal = fatal

    def create(self, name: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        path = self.folder / name
        adopted = path.exists()
        if not adopted:
            path.write_text(json.dumps(inputs))
        with self.lock:
            self.log.append(f"{'adopt' if adopted else 'create'} {name}")
        if name == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return name, self._outputs(name, inputs)
