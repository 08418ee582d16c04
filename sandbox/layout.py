"""Where everything of one sandbox lies: one directory, so that removing it leaves nothing behind.

`run/` holds what lives and dies with the servers (their data, and the engine's state of what was applied to
them): the emulators keep their state in memory, so a start always begins with an empty `run/`, and a stopped
sandbox keeps `logs/` to be read. What is deliberately not here: ports and credentials (`facts.py`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.errors import SandboxError

DIRECTORY_VARIABLE = "KEYTURN_SANDBOX_DIR"
CHECKOUT = Path(__file__).resolve().parents[1]
# only the owner looks inside: credentials, state and logs of servers
PRIVATE_DIRECTORY = 0o700
# the way to the database's data, which as root belongs to another user: to be entered, not to be listed
ENTERABLE_DIRECTORY = 0o711
MARKER = "a keyturn sandbox: `keyturn sandbox down` stops it, `make clean` removes it\n"


@dataclass(frozen=True)
class Layout:
    """All paths of the sandbox in `root`. Nothing is created by asking for a path.

    Attributes:
        root: the sandbox's own directory.
        cloud_python: interpreter of the emulator's environment, apart because the emulator pins its libraries.
    """

    root: Path
    cloud_python: Path = field(default=CHECKOUT / ".venv-cloud" / "bin" / "python")

    @classmethod
    def from_env(cls) -> Layout:
        """The directory that KEYTURN_SANDBOX_DIR names, `.sandbox/` in the checkout without it."""
        return cls(Path(os.environ.get(DIRECTORY_VARIABLE) or CHECKOUT / ".sandbox").absolute())

    @property
    def marker(self) -> Path:
        """Proof that this directory was made by a sandbox; nothing without it is ever removed."""
        return self.root / "SANDBOX"

    @property
    def lock(self) -> Path:
        """Held by whoever starts, stops or removes the sandbox."""
        return self.root / "lock"

    @property
    def facts(self) -> Path:
        """Endpoints, written last: its presence says that a start was completed."""
        return self.root / "facts.json"

    @property
    def credentials(self) -> Path:
        """Administrators' credentials of the servers, mode 0600."""
        return self.root / "credentials.json"

    @property
    def outside(self) -> Path:
        """List of the directories that had to be made outside `root`."""
        return self.root / "outside.json"

    @property
    def run(self) -> Path:
        """State of the servers and of what was applied to them."""
        return self.root / "run"

    @property
    def engine(self) -> Path:
        """State of the local engine."""
        return self.run / "engine"

    @property
    def applied(self) -> Path:
        """Written when the program was applied to its end: without it, a deployment was never finished."""
        return self.run / "applied"

    @property
    def consumer(self) -> Path:
        """Variables of a consumer of the stack, for a shell; mode 0600, because a login is among them."""
        return self.run / "consumer.env"

    @property
    def vault_audit(self) -> Path:
        """Audit device of the Vault server: one JSON document per line, values hashed."""
        return self.logs / "openbao-audit.log"

    @property
    def logs(self) -> Path:
        """Logs of the servers; kept when the sandbox stops."""
        return self.root / "logs"

    def part(self, name: str) -> Path:
        """Own directory of one server."""
        return self.run / name

    def log(self, name: str) -> Path:
        """Standard output and error of one server."""
        return self.logs / f"{name}.log"

    def process(self, name: str) -> Path:
        """Which process one server is."""
        return self.run / f"{name}.process.json"

    def claim(self) -> None:
        """Make the directory this sandbox's own.

        Raises:
            SandboxError: `not_a_sandbox` when the directory holds something else, `sandbox_not_yours` when it
                may not be written.
        """
        try:
            self._claim()
        except PermissionError as exc:
            raise self.not_yours() from exc

    def not_yours(self) -> SandboxError:
        """What to raise when the directory is another user's."""
        return SandboxError(
            "sandbox_not_yours",
            f"the sandbox in {self.root} belongs to another user",
            f"act as that user, or name another directory in {DIRECTORY_VARIABLE}",
        )

    def _claim(self) -> None:
        # content first, marker second: another start may be making the marker at this moment
        if self.root.exists() and any(self.root.iterdir()) and not self.marker.exists():
            raise SandboxError(
                "not_a_sandbox",
                f"{self.root} is not empty and is not a sandbox",
                f"name an empty or new directory in {DIRECTORY_VARIABLE}",
            )
        self.root.mkdir(parents=True, exist_ok=True, mode=ENTERABLE_DIRECTORY)
        self.marker.write_text(MARKER, encoding="utf-8")

    def make_fresh(self) -> None:
        """Create the directories of a new start."""
        self.run.mkdir(exist_ok=True, mode=ENTERABLE_DIRECTORY)
        for directory in (self.logs, self.engine):
            directory.mkdir(exist_ok=True, mode=PRIVATE_DIRECTORY)
