"""Every secret, version, payload and policy of the server: in memory only, so that no value reaches a disk.

A restart therefore forgets everything. Callers hold the server's one lock; nothing here is locked by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from google.iam.v1.policy_pb2 import Policy

from sandbox.google.clocks import Clock
from sandbox.google.names import SecretName
from sandbox.google.protos import (
    DESTROYED,
    DISABLED,
    PolicyMessage,
    SecretMessage,
    VersionMessage,
    state_name,
    timestamp,
)
from sandbox.google.refusals import not_found, precondition
from sandbox.google.views import Lag, View, Views

_MICROS = 1_000_000
# What the service's own etags look like: a quoted hexadecimal count of microseconds.
_ETAG = '"{:x}"'


@dataclass
class StoredVersion:
    """One version; `payload` is emptied when it is destroyed."""

    message: VersionMessage
    payload: bytes = field(repr=False)


@dataclass
class StoredSecret:
    """One secret with its versions in creation order, its policy and what readers see of it."""

    name: SecretName
    message: SecretMessage
    views: Views
    versions: list[StoredVersion] = field(default_factory=list)
    policy: PolicyMessage = field(default_factory=Policy)

    def version(self, number: int) -> StoredVersion:
        """The version with this number; NOT_FOUND when it was never made."""
        if not 1 <= number <= len(self.versions):
            raise not_found(f"Secret Version [{self.name.version(number)}] not found.")
        return self.versions[number - 1]


@dataclass(frozen=True)
class Notice:
    """A message that the service would publish to one topic (secret-manager/docs/event-notifications)."""

    event: str
    topic: str
    resource: str


class State:
    """The store itself. `lag` is read by every reader; `notices` collects what would have been published."""

    def __init__(self, clock: Clock, lag: Lag) -> None:
        self.clock = clock
        self.lag = lag
        self.notices: list[Notice] = []
        self.secrets: dict[SecretName, StoredSecret] = {}
        self._last_etag = 0

    def etag(self) -> str:
        """A new etag, quotes included, never given before by this server (secret-manager/docs/etags; AIP-154)."""
        self._last_etag = max(self._last_etag + 1, round(self.clock() * _MICROS))
        return _ETAG.format(self._last_etag)

    def find(self, name: SecretName) -> StoredSecret:
        """The secret as it truly is; NOT_FOUND when absent."""
        secret = self.secrets.get(name)
        if secret is None:
            raise not_found(f"Secret [{name}] not found.")
        return secret

    def add(self, name: SecretName, message: SecretMessage) -> StoredSecret:
        """Keep a new secret, visible to every reader at once."""
        self.secrets[name] = StoredSecret(name, message, Views(self._view(message, [])))
        return self.secrets[name]

    def seen(self, name: SecretName) -> View:
        """The secret as readers see it now."""
        return self.find(name).views.visible(self.clock(), self.lag)

    def changed(self, secret: StoredSecret, event: str, resource: str) -> None:
        """Record a write: readers will see it when the lag allows, topics get a notice."""
        secret.views.record(self._view(secret.message, secret.versions), self.lag)
        self.notify(secret, event, resource)

    def notify(self, secret: StoredSecret, event: str, resource: str) -> None:
        """One notice per topic of the secret (`Secret.topics`)."""
        self.notices.extend(Notice(event, topic.name, resource) for topic in secret.message.topics)

    def settle(self) -> None:
        """Every write so far has spread to every reader."""
        for secret in self.secrets.values():
            secret.views.settle()

    def destroy_due(self) -> None:
        """Destroy what was scheduled and is due now (secret-manager/docs/delay-destruction-of-secret-versions)."""
        now = self.clock()
        for secret in self.secrets.values():
            for version in secret.versions:
                if _due(version.message, now):
                    self.destroy(version)
                    self.changed(secret, "SECRET_VERSION_DESTROY", version.message.name)

    def destroy(self, version: StoredVersion) -> None:
        """The data is gone for good; `DESTROYED` is terminal (`SecretVersion.State`)."""
        version.payload = b""
        version.message.state = DESTROYED
        version.message.destroy_time.CopyFrom(timestamp(self.clock()))
        version.message.ClearField("scheduled_destroy_time")
        version.message.etag = self.etag()

    def _view(self, message: SecretMessage, versions: list[StoredVersion]) -> View:
        return View(self.clock(), _copy(message), tuple(_copy(version.message) for version in versions))


def _copy(message: SecretMessage) -> SecretMessage:
    twin = type(message)()
    twin.CopyFrom(message)
    return twin


def _due(version: VersionMessage, now: float) -> bool:
    scheduled = version.state == DISABLED and version.HasField("scheduled_destroy_time")
    return bool(scheduled and version.scheduled_destroy_time.ToMicroseconds() <= now * _MICROS)


def check_etag(given: str, stored: str) -> None:
    """FAILED_PRECONDITION (HTTP 400) on a mismatch; an omitted etag is not checked.

    Source: Secret Manager docs, 'Use entity tags for optimistic concurrency control' (secret-manager/docs/etags).
    AIP-154 asks for ABORTED since 2021, but the page of this service says FAILED_PRECONDITION.
    """
    if given and given != stored:
        raise precondition(f"The etag provided [{given}] does not match the current etag [{stored}].")


def check_not_destroyed(version: VersionMessage) -> None:
    """FAILED_PRECONDITION for a destroyed version: it may not leave that state (`SecretVersion.State`)."""
    if version.state == DESTROYED:
        raise not_in_state(version)


def not_in_state(version: VersionMessage) -> Exception:
    """The service's wording (external-secrets/external-secrets#4042)."""
    return precondition(f"Secret Version [{version.name}] is in {state_name(version)} state.")
