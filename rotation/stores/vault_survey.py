"""What Vault shows to repair: the live head, and what lies on the pending path, by whoever put it there.

The current version carries its fingerprint, because promotion copies the value: a run that died between the live write
and the destruction of its candidate leaves a pending twin with the same fingerprint, which blocks the next run until it
is cleared. Not here: older versions of the pending path. Every write to it is a check-and-set on an empty head.
"""

from __future__ import annotations

from rotation.contract import Pending, SecretRef, Survey, Version
from rotation.errors import Refused
from rotation.stores.vault_kv import Entry, Kv
from rotation.stores.vault_value import pending_path, staged_run, staged_value, value_of


def survey(kv: Kv, ref: SecretRef) -> Survey:
    """Two reads. NotFound when the mount is missing; a path never written is an empty secret."""
    path = pending_path(ref)
    # in this order: between the two a promotion can leave a twin to be seen, never a candidate that seems lost
    waiting, live = kv.read(path), kv.read(ref.path)
    return Survey(current=_current(live), pendings=_pendings(path, waiting))


def _current(head: Entry | None) -> Version | None:
    if head is None or head.data is None:
        return None
    return Version(id=str(head.version), fingerprint=value_of(head.data).fingerprint())


def _pendings(path: str, head: Entry | None) -> tuple[Pending, ...]:
    if head is None or head.data is None:
        return ()
    try:
        value = staged_value(head.data)
    except Refused:
        # written by hand: it blocks the next run all the same, and nobody's envelope says whose it is
        value = value_of(head.data)
    fingerprint = value.fingerprint() if head.data else ""
    version = Version(id=str(head.version), path=path, fingerprint=fingerprint)
    owner = staged_run(head.data)
    return (Pending(version=version, owner=owner, empty=not head.data, fingerprint=fingerprint),)
