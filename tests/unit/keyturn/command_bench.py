"""How one command line ended, and the types of the fixtures that run it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol

from control_model import ModelControl, Secret


@dataclass(frozen=True)
class Ended:
    """How one command line ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as the one JSON document that it has to be."""
        return json.loads(self.out)


class Command(Protocol):
    """Runs a command line in this process."""

    def __call__(self, *arguments: str) -> Ended: ...


class PutModel(Protocol):
    """Puts a model of secrets where the command finds control."""

    def __call__(self, *secrets: Secret, read_only: bool = False) -> ModelControl: ...
