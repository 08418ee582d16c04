"""A secret store in memory that keeps every promise of the contract: the yardstick for the others. It never ships.

Versions have numbers, `current` and `pending` are pointers, moving `current` is a compare-and-set, an old version can
be destroyed on its own. What differs from the real stores: nothing lags, and nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

from rotation.calls import Caller, Kind
from rotation.contract import Observation, Pending, Remembered, SecretRef, StoreCapabilities, Survey, Version
from rotation.errors import Conflict, KeyturnError, NotFound, Refused
from rotation.stores.limits import check_size
from rotation.value import SecretValue

T = TypeVar("T")

MAX_VALUE_BYTES = 65_536


@dataclass
class MemorySecret:
    """One secret: values by number, which run staged each, and the pointers.

    A value of None is destroyed, or a placeholder while it is pending.
    """

    values: list[SecretValue | None] = field(default_factory=list)
    runs: dict[str, int] = field(default_factory=dict)
    current: int | None = None
    pending: int | None = None

    def add(self, value: SecretValue) -> int:
        """The number of a new version."""
        self.values.append(value)
        return len(self.values)

    def value(self, number: int) -> SecretValue:
        """NotFound when it never was, is a placeholder, or is destroyed."""
        if not 0 < number <= len(self.values):
            raise NotFound("version_not_found", f"there is no version {number}")
        found = self.values[number - 1]
        if found is None:
            reason = "version_empty" if number == self.pending else "beyond_rollback_horizon"
            raise NotFound(reason, f"version {number} has no value")
        return found

    def waiting(self) -> Pending | None:
        """What is pending, whoever made it; `pending` never stays on what has become current."""
        if self.pending is None:
            return None
        owner = next((run for run, number in self.runs.items() if number == self.pending), "")
        value, version = self.values[self.pending - 1], Version(id=str(self.pending))
        return Pending(
            version=version, owner=owner, empty=value is None, fingerprint=value.fingerprint() if value else ""
        )


class MemoryServer:
    """What outlives an adapter: the secrets by path."""

    def __init__(self) -> None:
        self.secrets: dict[str, MemorySecret] = {}

    def find(self, path: str) -> MemorySecret:
        """NotFound when it was never declared."""
        if path not in self.secrets:
            raise NotFound("not_declared", f"{path} is not declared")
        return self.secrets[path]


def translate(exc: Exception) -> KeyturnError | None:
    """Errors of the model are ours already."""
    return exc if isinstance(exc, KeyturnError) else None


class MemoryStore:
    """The adapter of a `MemoryServer`; every look is a read and every change one write."""

    name: ClassVar[str] = "memory"
    capabilities: ClassVar[StoreCapabilities] = StoreCapabilities(
        hidden_pending=True,
        fenced_promotion=True,
        idempotent_stage=True,
        disposes=True,
        lagging_pointer=False,
        rollback_horizon=None,
        max_value_bytes=MAX_VALUE_BYTES,
    )

    def __init__(self, server: MemoryServer, caller: Caller) -> None:
        self._server = server
        self._caller = caller

    def observe(self, ref: SecretRef, remembered: Remembered) -> Observation:
        """One read."""

        def look() -> Observation:
            secret = self._server.find(ref.path)
            return Observation(
                current=_version(secret.current),
                pending=_version(secret.pending),
                token=str(secret.current or ""),
                pending_token=remembered.pending_token,
                value=secret.value(secret.current) if secret.current else None,
            )

        return self._read(look)

    def read(self, ref: SecretRef, version: Version) -> SecretValue:
        """One read."""
        return self._read(lambda: self._server.find(ref.path).value(int(version.id)))

    def read_live(self, ref: SecretRef) -> tuple[Version, SecretValue]:
        """One read."""

        def look() -> tuple[Version, SecretValue]:
            secret = self._server.find(ref.path)
            return Version(id=str(secret.current)), secret.value(secret.current or 0)

        return self._read(look)

    def pointed(self, ref: SecretRef) -> Version | None:
        """One read."""
        return self._read(lambda: _version(self._server.find(ref.path).current))

    def survey(self, ref: SecretRef, known: Version | None) -> Survey:
        """One read."""
        del known  # the server's own pointers never lag

        def look() -> Survey:
            secret = self._server.find(ref.path)
            waiting = secret.waiting()
            return Survey(current=_version(secret.current), pendings=(waiting,) if waiting else ())

        return self._read(look)

    def stage(self, ref: SecretRef, run_id: str, value: SecretValue, seen: Observation) -> Version:
        """One write."""
        del seen
        check_size(value, self.capabilities)

        def put() -> Version:
            secret = self._server.find(ref.path)
            if run_id in secret.runs:
                number = secret.runs[run_id]
                if secret.values[number - 1] != value:
                    raise Conflict("staged_differs", "this run staged another value before")
                return Version(id=str(number))
            if secret.pending is not None:
                raise Conflict("pending_foreign", "another run's value is pending")
            secret.pending = secret.runs[run_id] = secret.add(value)
            return Version(id=str(secret.pending))

        return self._write(put)

    def find_staged(self, ref: SecretRef, run_id: str, hint: Mapping[str, str]) -> Version | None:
        """One read."""
        del hint
        return self._read(lambda: _version(self._server.find(ref.path).runs.get(run_id)))

    def promote(self, ref: SecretRef, run_id: str, staged: Version, expected: Version | None) -> Version:
        """One write."""
        del run_id
        return self._write(lambda: self._move(ref, staged, expected))

    def demote(self, ref: SecretRef, run_id: str, live: Version, back_to: Version) -> Version:
        """One write."""
        del run_id
        return self._write(lambda: self._move(ref, back_to, live))

    def _move(self, ref: SecretRef, to: Version, away_from: Version | None) -> Version:
        secret = self._server.find(ref.path)
        secret.value(int(to.id))
        if _version(secret.current) not in (to, away_from):
            raise Conflict("current_moved", "somebody else moved current")
        secret.current = int(to.id)
        secret.pending = None if secret.pending == secret.current else secret.pending
        return Version(id=to.id)

    def abandon(self, ref: SecretRef, run_id: str, staged: Version | None) -> None:
        """One write."""

        def drop() -> None:
            secret = self._server.find(ref.path)
            number = int(staged.id) if staged else secret.runs.get(run_id)
            if number is None or number == secret.current or number > len(secret.values):
                return
            secret.values[number - 1] = None
            secret.pending = None if secret.pending == number else secret.pending

        self._write(drop)

    def dispose(self, ref: SecretRef, old: Version, live: Version | None = None) -> str:
        """One write."""

        def destroy() -> str:
            secret = self._server.find(ref.path)
            if old in (live, _version(secret.current)):
                raise Refused("version_is_current", "readers get this version")
            secret.values[int(old.id) - 1] = None
            return "destroyed"

        return self._write(destroy)

    def _read(self, function: Callable[[], T]) -> T:
        return self._caller.call(Kind.READ, function)

    def _write(self, function: Callable[[], T]) -> T:
        return self._caller.call(Kind.WRITE, function)


def _version(number: int | None) -> Version | None:
    return Version(id=str(number)) if number else None
