"""The three stores as an administrator outside Keyturn sees them; nothing of `rotation`, which is what is tested."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import hvac
from google.cloud.secretmanager_v1 import SecretVersion
from hvac.exceptions import InvalidPath

from bench.crash.place import Place
from sandbox.google.remote import plaintext_client

_MOUNT = "keyturn"
_CURRENT, _PENDING = "AWSCURRENT", "AWSPENDING"


@dataclass(frozen=True)
class Seen:
    """A version by its store's id, and its text, which is never shown."""

    version: str
    text: str

    def __repr__(self) -> str:
        return f"Seen({self.version!r})"


class Store(Protocol):
    """One secret in its store."""

    def live(self) -> Seen:
        """What readers get who name no version."""
        ...

    def pending(self, known: set[str]) -> set[str]:
        """Versions that wait to become current, or might be read, beside the `known` ones."""
        ...

    def tidy(self) -> None:
        """Before a run: what the emulator leaves behind and the real store does not."""
        ...

    def discard(self, versions: set[str]) -> None:
        """Remove such versions, as an administrator does it by hand."""
        ...

    def counter(self) -> str:
        """What the ledger remembers of the pending place: the last number given, where the store numbers them."""
        ...

    def close(self) -> None:
        """Leave no connection open."""
        ...


class Aws:
    """Secrets Manager: without a version, AWSCURRENT."""

    def __init__(self, place: Place) -> None:
        self._client, self._name = place.secrets, place.lanes["aws"].secret

    def live(self) -> Seen:
        """AWSCURRENT."""
        found = self._client.get_secret_value(SecretId=self._name)
        return Seen(found["VersionId"], found["SecretString"])

    def pending(self, known: set[str]) -> set[str]:
        """AWSPENDING on a version that was promoted before is the emulator's (docs/emulator-gaps.md)."""
        return {version for version, names in self._labels().items() if _PENDING in names} - known

    def tidy(self) -> None:
        """On AWS a put takes AWSPENDING off the version that had it: only the one promoted last may have it still."""
        labels = self._labels()
        stale = [version for version, names in labels.items() if _PENDING in names and _CURRENT not in names]
        for version in stale:
            self._unlabel(version)

    def discard(self, versions: set[str]) -> None:
        """Their label."""
        for version in versions:
            self._unlabel(version)

    def _labels(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = self._client.describe_secret(SecretId=self._name)["VersionIdsToStages"]
        return found

    def _unlabel(self, version: str) -> None:
        self._client.update_secret_version_stage(
            SecretId=self._name, VersionStage=_PENDING, RemoveFromVersionId=version
        )

    def counter(self) -> str:
        """No numbers."""
        return ""

    def close(self) -> None:
        """The client is the place's."""


class Vault:
    """KV v2: without a version, the newest of the live path."""

    def __init__(self, place: Place) -> None:
        self._client = hvac.Client(url=place.facts.vault_address, token=place.credentials.vault_root_token)
        self._name = place.lanes["vault"].secret

    def live(self) -> Seen:
        """The newest."""
        found = self._read(self._name)
        fields = json.dumps(found["data"], sort_keys=True)
        return Seen(str(found["metadata"]["version"]), fields)

    def pending(self, known: set[str]) -> set[str]:
        """The head of the pending path; its numbers are its own."""
        del known
        try:
            return {str(self._read(f"pending/{self._name}")["metadata"]["version"])}
        except InvalidPath:
            return set()

    def tidy(self) -> None:
        """Nothing."""

    def discard(self, versions: set[str]) -> None:
        """Destroyed; the path's metadata stays."""
        numbers = sorted(map(int, versions))
        self._client.secrets.kv.v2.destroy_secret_versions(f"pending/{self._name}", numbers, mount_point=_MOUNT)

    def counter(self) -> str:
        """Of the pending path."""
        kv = self._client.secrets.kv.v2
        found = kv.read_secret_metadata(f"pending/{self._name}", mount_point=_MOUNT)
        return str(found["data"]["current_version"])

    def close(self) -> None:
        """The session's."""
        self._client.adapter.close()

    def _read(self, path: str) -> dict[str, Any]:
        kv = self._client.secrets.kv.v2
        found = kv.read_secret_version(path, mount_point=_MOUNT, raise_on_deleted_version=True)
        return dict(found["data"])


class Google:
    """Secret Manager: without a number, the alias that readers use."""

    def __init__(self, place: Place) -> None:
        self._client: Any = plaintext_client(place.facts.google_endpoint)
        name = place.lanes["gcp"].secret.replace("/", "-")
        self._secret = f"projects/{place.facts.google_project}/secrets/{name}"

    def live(self) -> Seen:
        """The alias."""
        found = self._client.access_secret_version(name=f"{self._secret}/versions/current", retry=None)
        return Seen(_number(found.name), found.payload.data.decode())

    def pending(self, known: set[str]) -> set[str]:
        """Any version that has its value still."""
        versions = self._client.list_secret_versions(parent=self._secret, retry=None)
        return {_number(v.name) for v in versions if v.state != SecretVersion.State.DESTROYED} - known

    def tidy(self) -> None:
        """Nothing."""

    def discard(self, versions: set[str]) -> None:
        """Destroyed."""
        for version in versions:
            self._client.destroy_secret_version(name=f"{self._secret}/versions/{version}", retry=None)

    def counter(self) -> str:
        """The highest."""
        versions = self._client.list_secret_versions(parent=self._secret, retry=None)
        return max((_number(version.name) for version in versions), key=int)

    def close(self) -> None:
        """The channel's."""
        self._client.transport.close()


STORES: dict[str, Callable[[Place], Store]] = {"aws": Aws, "vault": Vault, "gcp": Google}


def _number(name: str) -> str:
    return name.rpartition("/")[2]
