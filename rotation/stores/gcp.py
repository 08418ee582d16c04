"""Google Secret Manager: the version's number is the truth, the alias `current` is for readers without the client.

`latest` is never used: it is the version created last, so a candidate would be live before it is tested. Adding has
neither etag nor request id; it is sent once, and a lost answer is settled by reading the numbers after the last known
one and comparing fingerprints. The alias is moved by UpdateSecret with the secret's etag (`gcp_alias`), together with
an annotation that says which run did it. A whole life costs 3 writes and 3 reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rotation.contract import Observation, Remembered, SecretRef, StoreCapabilities, Survey, Version
from rotation.errors import Conflict, NotFound, Refused, Unavailable
from rotation.stores import gcp_alias, gcp_survey
from rotation.stores.gcp_alias import ALIAS, PROMOTED, current_of
from rotation.stores.gcp_api import DESTROYED, Api
from rotation.stores.gcp_survey import SEARCH_LIMIT
from rotation.stores.limits import check_size
from rotation.value import SecretValue

__all__ = ["ALIAS", "PROMOTED", "GcpStore"]

# Secret Manager quotas: 64 KiB per payload.
MAX_VALUE_BYTES = 64 * 1024


class GcpStore:
    """Secrets of one project or several. `ref.path` is `projects/P/secrets/S`."""

    name: ClassVar[str] = "gcp"
    capabilities: ClassVar[StoreCapabilities] = StoreCapabilities(
        hidden_pending=True,
        fenced_promotion=True,
        idempotent_stage=False,
        disposes=True,
        lagging_pointer=True,
        rollback_horizon=None,
        max_value_bytes=MAX_VALUE_BYTES,
    )

    def __init__(self, api: Api) -> None:
        self._api = api

    def observe(self, ref: SecretRef, remembered: Remembered) -> Observation:
        """What the ledger remembers, without a call; the alias (GetSecret) where it remembers nothing."""
        hint = remembered.pending_token
        if remembered.current is not None:
            return Observation(current=remembered.current, pending_token=hint)
        shell = self._api.shell(ref.path)
        return Observation(current=current_of(shell), token=shell.etag, pending_token=hint)

    def read(self, ref: SecretRef, version: Version) -> SecretValue:
        """Access by number: one read, right after an add too.

        NotFound `beyond_rollback_horizon` when it is destroyed, `version_not_enabled` when it is disabled, be it until
        its destruction: then it can be enabled again.
        """
        try:
            return self._api.access(ref.path, version.id)[1]
        except Conflict as exc:
            raise _gone(ref, version, exc) from exc

    def read_live(self, ref: SecretRef) -> tuple[Version, SecretValue]:
        """Access by the alias: one read. It may lag behind a promotion for hours; the number in the answer tells."""
        try:
            number, value = self._api.access(ref.path, ALIAS)
        except Conflict as exc:
            raise NotFound("version_not_enabled", f"the live version of {ref.path} is disabled or destroyed") from exc
        return Version(id=number), value

    def pointed(self, ref: SecretRef) -> Version | None:
        """The alias (GetSecret, which may lag): one read."""
        return current_of(self._api.shell(ref.path))

    def survey(self, ref: SecretRef, known: Version | None) -> Survey:
        """The alias (GetSecret, which may lag) and the numbers above it and above `known`: up to 51 reads."""
        return gcp_survey.survey(self._api, ref, known)

    def stage(self, ref: SecretRef, run_id: str, value: SecretValue, seen: Observation) -> Version:
        """Add a version: one write, one attempt. A lost answer is settled at once if the version can be seen."""
        del run_id
        check_size(value, self.capabilities)
        try:
            number = self._api.add(ref.path, value)
        except Unavailable:
            known = max(int(seen.current.id if seen.current else 0), int(seen.pending_token or 0))
            found = self._search(ref, known, value.fingerprint())
            if found is None:
                raise
            return found
        return Version(id=number, fingerprint=value.fingerprint())

    def find_staged(self, ref: SecretRef, run_id: str, hint: Mapping[str, str]) -> Version | None:
        """Access the numbers after `expected` and compare with `fingerprint`: listing would lag. None without a hint.

        A call that is still under way may add its version later: an orphan that no alias ever names.
        """
        del run_id
        if not hint.get("fingerprint"):
            return None
        return self._search(ref, int(hint.get("expected") or 0), hint["fingerprint"])

    def _search(self, ref: SecretRef, known: int, fingerprint: str) -> Version | None:
        for number in range(known + 1, known + 1 + SEARCH_LIMIT):
            try:
                _, value = self._api.access(ref.path, str(number))
            except NotFound:
                return None
            except (Conflict, Refused):
                # an abandoned candidate, or bytes of somebody else
                continue
            if value.fingerprint() == fingerprint:
                return Version(id=str(number), fingerprint=fingerprint)
        return None

    def promote(self, ref: SecretRef, run_id: str, staged: Version, expected: Version | None) -> Version:
        """Move the alias with the etag just read: one read, one write."""
        return gcp_alias.move(self._api, ref, run_id, to=staged, away_from=expected)

    def demote(self, ref: SecretRef, run_id: str, live: Version, back_to: Version) -> Version:
        """Move the alias back, after a read that shows that the older version still has its value."""
        self.read(ref, back_to)
        return gcp_alias.move(self._api, ref, run_id, to=back_to, away_from=live)

    def abandon(self, ref: SecretRef, run_id: str, staged: Version | None) -> None:
        """Destroy the candidate, unless it is current: one read, one write.

        None does nothing: a caller in doubt asks `find_staged` first, which needs the ledger's hint. Without a run's id
        the candidate is a stranger's, who may have promoted it while the alias lags for us: one more write, under the
        secret's etag, shows that it did not. Unavailable `secret_keeps_changing` when that cannot be shown yet.
        """
        if staged is None:
            return
        if run_id:
            hidden = current_of(self._api.shell(ref.path)) != Version(id=staged.id)
        else:
            hidden = gcp_alias.mark_cleared(self._api, ref, staged)
        if hidden:
            self._destroy(ref, staged)

    def dispose(self, ref: SecretRef, old: Version, live: Version | None = None) -> str:
        """Destroy `old`: one write, which `version_destroy_ttl` turns into `scheduled` and recoverable.

        Not disabled first: nothing would look in between, and disabling cancels the schedule of an earlier attempt.
        """
        shown = live or self.read_live(ref)[0]
        if shown.id == old.id:
            raise Refused(
                "version_is_current",
                f"readers of {ref.path} are still given version {old.id}",
                "wait until the alias has spread, or find out who moved it back",
            )
        return self._destroy(ref, old)

    def _destroy(self, ref: SecretRef, version: Version) -> str:
        try:
            scheduled = self._api.destroy(ref.path, version.id)
        except (Conflict, NotFound):
            return "destroyed"
        return "scheduled" if scheduled else "destroyed"


def _gone(ref: SecretRef, version: Version, refusal: Conflict) -> NotFound:
    if refusal.reason == DESTROYED:
        return NotFound("beyond_rollback_horizon", f"version {version.id} of {ref.path} is destroyed", "rotate forward")
    return NotFound(
        "version_not_enabled",
        f"version {version.id} of {ref.path} is disabled, perhaps until its scheduled destruction",
        "enable the version again if you mean to go back to it",
    )
