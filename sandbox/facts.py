"""What a running sandbox tells those who use it: endpoints in `facts.json`, credentials apart in `credentials.json`.

Two files because their readers differ: facts may be printed, credentials never (mode 0600, redacted `repr`). Both
are written whole to a temporary file and renamed, so that a reader sees the old or the new one, never a half.
What is deliberately not here: AWS keys, which are the literal `test` in the emulator.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TypeVar

from sandbox.errors import SandboxError

START_IT = "start it with `keyturn sandbox up`"
START_AGAIN = "run `keyturn sandbox down`, then `keyturn sandbox up`"

T = TypeVar("T", "Facts", "Credentials")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Where the servers of a sandbox are. Ports are on 127.0.0.1; nothing here is secret.

    `already_running` is an answer of `up`, never stored: nothing was started by this call.
    """

    aws_endpoint: str
    vault_address: str
    google_endpoint: str
    postgres_port: int
    redis_port: int
    token_service_url: str
    verifier_url: str
    jwks_url: str
    webhooks_url: str
    postgres_host: str = "127.0.0.1"
    postgres_database: str = "payments"
    google_project: str = "keyturn-local"
    aws_region: str = "us-east-1"
    aws_account_id: str = "000000000000"
    aws_auth: bool = False
    already_running: bool = False

    def save(self, path: Path) -> None:
        """Write atomically."""
        stored = asdict(self)
        del stored["already_running"]
        write_atomically(path, stored)

    @classmethod
    def load(cls, path: Path) -> Facts:
        """Read what `save` wrote.

        Raises:
            SandboxError: `sandbox_not_up` without the file, `sandbox_damaged` when it cannot be understood.
        """
        return _load(cls, path)


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Administrators' credentials of the servers; `repr` shows names only."""

    vault_root_token: str
    vault_unseal_key: str
    postgres_admin_user: str
    postgres_admin_password: str
    redis_admin_password: str
    token_service_authority: str
    verifier_authority: str
    jwks_authority: str
    webhooks_authority: str

    def __repr__(self) -> str:
        shown = ", ".join(f"{item.name}=<redacted>" for item in fields(self))
        return f"Credentials({shown})"

    def save(self, path: Path) -> None:
        """Write atomically, readable by the owner alone."""
        write_atomically(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> Credentials:
        """Read what `save` wrote; raises as `Facts.load`."""
        return _load(cls, path)


def write_atomically(path: Path, content: object) -> None:
    """Write `content` as JSON, mode 0600, to a temporary file beside `path` and rename it."""
    # mkstemp creates with mode 0600, before the first byte is written
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(content, stream, indent=2, sort_keys=True)
            stream.write("\n")
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _load(kind: type[T], path: Path) -> T:
    """One record of `kind`; what the file holds is never quoted in an error, it may be a credential."""
    try:
        return _typed(kind(**json.loads(path.read_text(encoding="utf-8"))))
    except FileNotFoundError as exc:
        raise SandboxError("sandbox_not_up", f"no sandbox is up: {path} is not there", START_IT) from exc
    except PermissionError as exc:
        raise SandboxError(
            "sandbox_not_yours", f"{path} belongs to another user", "act as the user who started the sandbox"
        ) from exc
    except (ValueError, TypeError) as exc:
        # a decoding error carries the document: cut the chain
        problem = type(exc).__name__
        raise SandboxError("sandbox_damaged", f"{path} cannot be understood ({problem})", START_AGAIN) from None


def _typed(record: T) -> T:
    """The record, if its fields have the types they are declared with; TypeError otherwise."""
    for item in fields(record):
        if type(getattr(record, item.name)).__name__ != item.type:
            raise TypeError(item.name)
    return record
