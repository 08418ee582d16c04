"""What credentials have in common that a target keeps under an id of their own, made from the credential itself.

Such an id needs no counter and is never used again, so that a late call finds its own credential or nothing: restoring
is applying, revoking is withdrawing, and any number may be accepted at once. The epochs matter after a rollback, which
restores an old credential under a newer one; then a late revoke is Fenced. Not here: how a target is asked.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

from rotation.calls import Caller
from rotation.contract import Fence, IssuerCapabilities, Probe
from rotation.errors import KeyturnError
from rotation.issuers import target_api
from rotation.issuers.facts import check_facts
from rotation.issuers.http import JsonClient
from rotation.value import SecretValue


class OwnId(ABC):
    """One such type. An instance serves one invocation: the authority's credential is read once.

    needed, optional: names of facts; each type has `url` (base address), and may have `ca_file` (whom to trust).
    authority: reads the authority's credential (field `token`) from the store. clock: epoch seconds.
    """

    kind: ClassVar[str]
    needed: ClassVar[tuple[str, ...]]
    optional: ClassVar[tuple[str, ...]] = ()
    capabilities: ClassVar[IssuerCapabilities] = IssuerCapabilities(
        overlaps=True, fenced=True, ends_sessions=False, needs_current=False, rollback_horizon=1
    )
    translate = staticmethod(target_api.translate)

    def __init__(
        self,
        facts: Mapping[str, str],
        authority: Callable[[], SecretValue],
        caller: Caller,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        check_facts(self.kind, facts, needed=("url", *self.needed), optional=("ca_file", *self.optional))
        self._facts = facts
        self._clock = clock
        self._api = target_api.TargetApi(JsonClient(self.kind, facts["url"], facts.get("ca_file")), authority, caller)

    @abstractmethod
    def apply(self, value: SecretValue, fence: Fence) -> None:
        """Let the target accept the credential."""

    @abstractmethod
    def withdraw(self, value: SecretValue, fence: Fence) -> None:
        """Let the target accept it no more; what is removed is this one or nothing, because the id is its own."""

    @abstractmethod
    def held(self, public: Mapping[str, str], fence: Fence) -> Probe:
        """As `check`; raises what the target's API raises."""

    @abstractmethod
    def shown(self, value: SecretValue) -> Probe:
        """As `probe`; raises what the target's API raises, and Refused for a value that is none."""

    def restore(self, value: SecretValue, fence: Fence) -> None:
        """The same as `apply`, for an older value; Fenced when this very run revoked it."""
        self.apply(value, fence)

    def revoke(self, value: SecretValue, fence: Fence) -> int:
        """The same as `withdraw`; 0, because such targets know no sessions."""
        self.withdraw(value, fence)
        return 0

    def check(self, public: Mapping[str, str], fence: Fence) -> Probe:
        """Whether the target holds the credential, put there by this epoch."""
        return _asked(lambda: self.held(public, fence))

    def probe(self, value: SecretValue) -> Probe:
        """Show the credential as a consumer would; UNPROVEN when it could not be shown."""
        return _asked(lambda: self.shown(value))


def _asked(ask: Callable[[], Probe]) -> Probe:
    try:
        return ask()
    except KeyturnError as exc:
        return target_api.unproven(exc)
