"""Secrets of a Google project: ListSecrets, and GetIamPolicy for who may read. No version is listed, none accessed.

Google tells when a secret was made, not when it was changed or read: that would take its versions or its audit log.
Readers are the members of the secret's own bindings; a binding of the project or folder may allow more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

from keyturn.discover_found import Found, Unlisted, unlisted
from rotation.calls import READ_TIMEOUT_S, Caller, Kind
from rotation.errors import KeyturnError, NotFound

# Predefined roles that let a member have a value; others are named with their role, since only IAM knows them.
_READS = ("roles/secretmanager.secretAccessor", "roles/secretmanager.admin", "roles/owner")
_OWNER_LABEL = "owner"
# The most that a page may hold (documentation of projects.secrets.list).
_PAGE = 25_000
# Each call decides itself; the library's own retries are off.
_ONCE: dict[str, Any] = {"retry": None, "timeout": READ_TIMEOUT_S}


class GcpListing:
    """`client` is a Secret Manager client of the person; `project` the stack's."""

    store: ClassVar[str] = "gcp"
    needs: ClassVar[str] = "secretmanager.secrets.list on the project and secretmanager.secrets.getIamPolicy"

    def __init__(self, client: Any, project: str, caller: Caller) -> None:
        self._client = client
        self._parent = f"projects/{project}"
        self._caller = caller
        self.skipped: list[Unlisted] = []

    def listed(self) -> Iterator[Found]:
        """Every page of ListSecrets."""
        request = {"parent": self._parent, "page_size": _PAGE}

        def pages() -> list[Any]:
            return list(self._client.list_secrets(request=request, **_ONCE))

        yield from map(_found, self._caller.call(Kind.READ, pages))

    def detailed(self, found: Found) -> Found:
        """Members of its own bindings that may read it."""
        name = f"{self._parent}/secrets/{found.path}"
        try:
            policy = self._caller.call(
                Kind.READ, lambda: self._client.get_iam_policy(request={"resource": name}, **_ONCE)
            )
        except NotFound:
            return found
        except KeyturnError as exc:
            self.skipped.append(unlisted(self.store, f"readers of {found.path}", exc, f"it takes {self.needs}"))
            return found
        named = {
            member if binding.role in _READS else f"{member} ({binding.role})"
            for binding in policy.bindings
            for member in binding.members
        }
        return replace(found, readers=tuple(sorted(named)))


def _found(secret: Any) -> Found:
    rotation = "publishes its own rotation reminders" if secret.rotation.rotation_period else ""
    return Found(
        store="gcp",
        path=str(secret.name).rpartition("/")[2],
        created=secret.create_time or None,
        owner=dict(secret.labels).get(_OWNER_LABEL, ""),
        note=rotation,
    )
