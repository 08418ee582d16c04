"""How one command line ended, and the types of the fixtures that run it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol

from control_model import ModelControl, Secret

from sandbox.facts import Facts

# A sandbox at addresses where nothing answers.
SANDBOX = Facts(
    aws_endpoint="http://127.0.0.1:1",
    vault_address="http://127.0.0.1:1",
    google_endpoint="127.0.0.1:1",
    postgres_port=1,
    redis_port=1,
    token_service_url="http://127.0.0.1:1",
    verifier_url="http://127.0.0.1:1",
    jwks_url="http://127.0.0.1:1",
    webhooks_url="http://127.0.0.1:1",
)


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


class PackageOf(Protocol):
    """Puts policies, or what only stands where one should, in the place of those of this checkout."""

    def __call__(self, *given: object) -> None: ...


class PutModel(Protocol):
    """Puts a model of secrets where the command finds control."""

    def __call__(self, *secrets: Secret, read_only: bool = False) -> ModelControl: ...
