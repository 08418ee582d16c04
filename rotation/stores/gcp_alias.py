"""The alias `current` of a Google secret: where it points, and how it is moved, or shown not to point somewhere.

GetSecret may lag for hours, UpdateSecret with an etag does not: it succeeds only on what is true now. So the alias is
moved by compare-and-set, and a version that nobody has promoted is told by an update that leaves the alias alone. Both
maps are sent whole as they were read, so that what others keep there stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rotation.contract import SecretRef, Version
from rotation.errors import Conflict, Unavailable
from rotation.stores.gcp_api import Api, Shell

ALIAS = "current"
# Run and version of the last move of the alias, for people.
PROMOTED = "keyturn.promoted"
# Version that repair cleared last, for people.
CLEARED = "keyturn.cleared"
# Looks at a secret that others keep changing before the update is left to the next attempt.
MOVE_ATTEMPTS = 3


def current_of(shell: Shell) -> Version | None:
    """The version the alias names, as this reader sees it."""
    number = shell.aliases.get(ALIAS)
    return Version(id=str(number)) if number is not None else None


def move(api: Api, ref: SecretRef, run_id: str, *, to: Version, away_from: Version | None) -> Version:
    """Point the alias at `to`: one read, one write. Conflict `current_moved` when it is not on `away_from`."""

    def wanted(shell: Shell) -> Shell | None:
        current = current_of(shell)
        if current == Version(id=to.id):
            return None
        if current != away_from:
            raise _moved(ref)
        return replace(
            shell,
            aliases={**shell.aliases, ALIAS: int(to.id)},
            annotations={**shell.annotations, PROMOTED: f"{run_id}:{to.id}"},
        )

    _update(api, ref, wanted)
    return Version(id=to.id)


def mark_cleared(api: Api, ref: SecretRef, version: Version) -> bool:
    """Whether the alias truly is not on `version`, noted on the secret: one read, one write. False: it is current."""

    def wanted(shell: Shell) -> Shell | None:
        if current_of(shell) == Version(id=version.id):
            return None
        return replace(shell, annotations={**shell.annotations, CLEARED: version.id})

    return _update(api, ref, wanted)


def _update(api: Api, ref: SecretRef, wanted: Callable[[Shell], Shell | None]) -> bool:
    """Write what `wanted` makes of the secret, under its etag; False when it wants nothing."""
    for _ in range(MOVE_ATTEMPTS):
        shell = wanted(api.shell(ref.path))
        if shell is None:
            return False
        try:
            api.update(ref.path, shell)
        except Conflict:
            # somebody changed the secret, or what we read was old: look again, with what they wrote
            continue
        return True
    raise Unavailable("secret_keeps_changing", f"{ref.path} changes, or is seen late", "wait; it is tried again")


def _moved(ref: SecretRef) -> Conflict:
    return Conflict(
        "current_moved",
        f"the alias {ALIAS} of {ref.path} is not on the version this run started from; nothing was overwritten",
        "find out who moved it (`keyturn history`), then rotate again",
    )
