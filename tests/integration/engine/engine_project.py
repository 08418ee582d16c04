"""A project in a folder whose program a test writes, previews, applies and destroys."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from engine_cloud import PRELUDE, TYPE, Things

from sandbox.engine import Result, Step, apply, destroy, preview


class Project:
    """Program, state and cloud of one stack."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state" / "dev.json"
        self.cloud: Any = Things()
        self.invokes: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}
        self.config: Mapping[str, str] = {}
        self.secret_config: frozenset[str] = frozenset()
        self.steps: list[Step] = []
        self.timeout_s = 60.0

    def write(self, body: str) -> Project:
        (self.folder / "__main__.py").write_text(PRELUDE + body)
        return self

    def apply(self, stack: str = "dev") -> Result:
        return self._call(apply, stack)

    def preview(self) -> Result:
        return self._call(preview, "dev")

    def destroy(self) -> Result:
        return destroy("shop", "dev", self.state, {TYPE: self.cloud}, self.steps.append)

    def _call(self, verb: Callable[..., Result], stack: str) -> Result:
        return verb(
            self.folder,
            "shop",
            stack,
            self.state.with_name(f"{stack}.json"),
            self.config,
            {TYPE: self.cloud},
            self.invokes,
            on_step=self.steps.append,
            timeout_s=self.timeout_s,
            secret_config=self.secret_config,
        )

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.state.read_text())
        return document


def ops(result: Result) -> dict[str, str]:
    """The operations by logical name."""
    return {urn.rsplit("::", 1)[-1]: op for urn, op in result.ops.items()}
