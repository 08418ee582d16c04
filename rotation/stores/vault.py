"""Vault and OpenBao, KV v2: the pending value on a sibling path, the live write with check-and-set.

KV v2 has no pending stage: every write is at once what readers get. So the candidate waits on `pending/<path>` of the
same mount with the run's id inside its data, one readable version at a time, and is destroyed after the live write;
its metadata is never deleted, since that would reset check-and-set. Live data is the credential's fields, flat.
A whole life costs 3 writes and 4 reads; every further call is recovery and happens only after a refused write.
Not here: disposal of old live versions. `max_versions` drops them, and until then a rollback needs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn

from rotation.contract import Observation, Remembered, SecretRef, StoreCapabilities, Survey, Version
from rotation.errors import Conflict, NotFound
from rotation.stores import vault_survey
from rotation.stores.limits import check_size
from rotation.stores.vault_auth import VaultSession
from rotation.stores.vault_kv import Entry, Kv
from rotation.stores.vault_static import StaticRoleStore
from rotation.stores.vault_value import fields_of, pending_path, staged_data, staged_run, staged_value, value_of
from rotation.value import SecretValue

# KV v2 keeps ten versions of a path unless engine or path ask for more; the greater counts (seen on OpenBao 2.7,
# though the documentation says that the path's number overrides the engine's).
VERSIONS_KEPT = 10
# Consul storage refuses entries above 512 KiB, raft above 1 MiB (storage documentation): the smaller counts.
MAX_VALUE_BYTES = 512 * 1024
# The run's id and the keys around a pending value.
_OVERHEAD_BYTES = 256


class VaultStore:
    """Secrets of one Vault. `ref.path` is `mount/path`."""

    name: ClassVar[str] = "vault"
    capabilities: ClassVar[StoreCapabilities] = StoreCapabilities(
        hidden_pending=True,
        fenced_promotion=True,
        idempotent_stage=True,
        disposes=False,
        lagging_pointer=False,
        rollback_horizon=VERSIONS_KEPT,
        max_value_bytes=MAX_VALUE_BYTES,
        tells_reads=True,
    )

    def __init__(self, session: VaultSession) -> None:
        self._session = session
        self._kv = Kv(session)

    def static_role(self, mount: str, role: str) -> StaticRoleStore:
        """The adapter of one static role of the database engine, under the same session."""
        return StaticRoleStore(self._session, mount, role)

    def observe(self, ref: SecretRef, remembered: Remembered) -> Observation:
        """The live path: one read. A soft-deleted head is no current version, though its number goes on counting.

        KV v2 has no shell: a path never written is an empty secret, and only a missing mount is NotFound.
        """
        head = self._kv.read(ref.path)
        hint = remembered.pending_token
        if head is None:
            return Observation(current=None, pending_token=hint)
        number = str(head.version)
        if head.data is None:
            return Observation(current=None, token=number, pending_token=hint)
        return Observation(current=Version(id=number), token=number, pending_token=hint, value=value_of(head.data))

    def read(self, ref: SecretRef, version: Version) -> SecretValue:
        """One read. NotFound says why: deleted, destroyed, or dropped by max_versions (`beyond_rollback_horizon`)."""
        path = version.path or ref.path
        entry = self._kv.read(path, int(version.id))
        if entry is None or entry.data is None:
            self._refuse_gone(path, version, entry)
        return staged_value(entry.data) if version.path else value_of(entry.data)

    def read_live(self, ref: SecretRef) -> tuple[Version, SecretValue]:
        """The newest version of the live path: one read."""
        head = self._kv.read(ref.path)
        if head is None or head.data is None:
            raise NotFound("no_current", f"{ref.path} has no live version", "look for a deletion in the audit log")
        return Version(id=str(head.version)), value_of(head.data)

    def pointed(self, ref: SecretRef) -> Version | None:
        """The metadata of the live path: one read; a second one, of the value, where its deletion has a date."""
        kept = self._kv.metadata(ref.path)
        if kept is None or kept.lost:
            return None
        version = Version(id=str(kept.current))
        if not kept.deletion:
            return version
        # deleted, or to be deleted some day: whether that day has come only Vault's clock tells
        head = self._kv.read(ref.path)
        return version if head is not None and head.data is not None else None

    def survey(self, ref: SecretRef, known: Version | None) -> Survey:
        """The heads of the live and of the pending path: two reads."""
        del known  # the live path is the pointer
        return vault_survey.survey(self._kv, ref)

    def stage(self, ref: SecretRef, run_id: str, value: SecretValue, seen: Observation) -> Version:
        """Write the pending path with `seen.pending_token` as cas: one write; a refused one is settled by a read."""
        check_size(value, self.capabilities, overhead_bytes=_OVERHEAD_BYTES)
        data = staged_data(run_id, value)
        path = pending_path(ref)
        try:
            number = self._kv.write(path, data, int(seen.pending_token or 0))
        except Conflict:
            number = self._settle_stage(path, data)
        return _staged(path, number, data)

    def _settle_stage(self, path: str, data: Mapping[str, Any]) -> int:
        """The pending path was not at the remembered version: ours already, somebody else's, or empty at another."""
        head = self._kv.read(path)
        if head is None or head.data is None:
            return self._kv.write(path, data, head.version if head else 0)
        if staged_run(head.data) != staged_run(data):
            raise Conflict(
                "pending_foreign",
                f"another run's pending value is on {path}",
                "nothing was changed; find out whose it is with `keyturn history`",
            )
        if staged_value(head.data) != staged_value(data):
            raise Conflict("staged_differs", f"this run staged another value on {path} before")
        return head.version

    def find_staged(self, ref: SecretRef, run_id: str, hint: Mapping[str, str]) -> Version | None:
        """The pending path says whose it is: one read, and nothing needs remembering."""
        del hint
        path = pending_path(ref)
        head = self._kv.read(path)
        if head is None or head.data is None or staged_run(head.data) != run_id:
            return None
        return _staged(path, head.version, head.data)

    def promote(self, ref: SecretRef, run_id: str, staged: Version, expected: Version | None) -> Version:
        """Read the pending value, write it live with cas, destroy it: one read, two writes.

        A crash between the two writes leaves a promoted value and its pending twin; a repetition ends it.
        """
        path = pending_path(ref)
        entry = self._kv.read(path, int(staged.id))
        if entry is None or entry.data is None:
            return self._promoted_before(ref, staged, expected)
        if staged_run(entry.data) != run_id:
            raise Conflict("pending_foreign", f"version {staged.id} of {path} was staged by another run")
        cas = int(expected.id) if expected else 0
        number = self._write_live(ref, staged_value(entry.data), cas, revive=expected is None)
        self._kv.destroy(path, int(staged.id))
        return Version(id=str(number))

    def _write_live(self, ref: SecretRef, value: SecretValue, cas: int, *, revive: bool = False) -> int:
        data = fields_of(value)
        try:
            return self._kv.write(ref.path, data, cas)
        except Conflict as exc:
            head = self._kv.read(ref.path)
            if head and head.data is not None and head.version == cas + 1 and value_of(head.data) == value:
                # our own write, whose answer was lost
                return head.version
            if revive and head and head.data is None:
                # nothing is live, but a soft-deleted head still counts
                return self._kv.write(ref.path, data, head.version)
            raise _moved(ref) from exc

    def _promoted_before(self, ref: SecretRef, staged: Version, expected: Version | None) -> Version:
        """Nothing is pending any more: promoted by an earlier attempt of this run, or withdrawn by somebody."""
        head = self._kv.read(ref.path)
        if head and head.data is not None and value_of(head.data).fingerprint() == staged.fingerprint:
            return Version(id=str(head.version))
        if expected and head and str(head.version) != expected.id:
            raise _moved(ref)
        raise NotFound("staged_missing", f"the pending value of {ref.path} is gone", "rotate again")

    def demote(self, ref: SecretRef, run_id: str, live: Version, back_to: Version) -> Version:
        """Write the older value forward as a new version, cas on `live`: one read, one write."""
        del run_id
        return Version(id=str(self._write_live(ref, self.read(ref, back_to), int(live.id))))

    def abandon(self, ref: SecretRef, run_id: str, staged: Version | None) -> None:
        """Destroy `staged`, this run's or what `survey` showed: one write, after a read where its number is not known.

        The live path is never written here, so that a version which became current meanwhile loses its twin alone.
        """
        path = pending_path(ref)
        found = staged or (self.find_staged(ref, run_id, {}) if run_id else None)
        # a live version counts on a path of its own: its number says nothing here
        if found is not None and found.path == path:
            self._kv.destroy(path, int(found.id))

    def dispose(self, ref: SecretRef, old: Version, live: Version | None = None) -> str:
        """Nothing: the old version may be needed for a rollback, and `max_versions` drops it."""
        del ref, old, live
        return "kept"

    def _refuse_gone(self, path: str, version: Version, entry: Entry | None) -> NoReturn:
        if entry is not None:
            done = "destroyed" if entry.destroyed else "deleted"
            raise NotFound(f"version_{done}", f"version {version.id} of {path} is {done}")
        kept = self._kv.metadata(path)
        if kept and int(version.id) < kept.oldest:
            raise NotFound(
                "beyond_rollback_horizon",
                f"version {version.id} of {path} has been dropped; the oldest one kept is {kept.oldest}",
                "raise max_versions of the path, or rotate forward",
            )
        raise NotFound("version_not_found", f"version {version.id} of {path} was never written")


def _staged(path: str, number: int, data: Mapping[str, Any]) -> Version:
    return Version(id=str(number), path=path, fingerprint=staged_value(data).fingerprint())


def _moved(ref: SecretRef) -> Conflict:
    return Conflict(
        "current_moved",
        f"the live version of {ref.path} is not the one this run started from; nothing was overwritten",
        "find out who wrote it (`keyturn history`), then rotate again",
    )
