"""The three stores as a reader outside Keyturn sees them: what is live, what a version holds, what is pending.

Plain clients with the administrator's rights, nothing of `rotation`, so that a defect there cannot hide itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol

import hvac
from botocore.exceptions import ClientError
from google.api_core.exceptions import FailedPrecondition, NotFound
from hvac.exceptions import InvalidPath
from runs_stack import Ended, Stack

from sandbox.google.remote import plaintext_client

AWS_GONE = "ResourceNotFoundException"
MOUNT = "keyturn"


@dataclass(frozen=True)
class Seen:
    """A version by its store's id, and its text."""

    version: str
    text: str

    def __repr__(self) -> str:
        return f"Seen({self.version!r})"


class Reader(Protocol):
    """One secret in its store."""

    def live(self) -> Seen:
        """What readers get who name no version."""
        ...

    def at(self, version: str) -> str | None:
        """The text of a version, None when nobody can read it any more."""
        ...

    def candidate(self, run_id: str, stage: dict[str, Any]) -> Seen | None:
        """What a run staged, by the facts of its step `stage`; None when it is gone."""
        ...

    def versions(self) -> list[str]:
        """Ids of all versions that the store has of the secret."""
        ...

    def close(self) -> None:
        """Leave no connection open."""
        ...


class AwsReader:
    """AWS Secrets Manager: without a version, AWSCURRENT."""

    def __init__(self, stack: Stack, name: str) -> None:
        self._client, self._name, self._stack = stack.aws("secretsmanager"), name, stack

    def live(self) -> Seen:
        found = self._client.get_secret_value(SecretId=self._name)
        return Seen(found["VersionId"], self._stack.remember(found["SecretString"]))

    def at(self, version: str) -> str | None:
        try:
            found = self._client.get_secret_value(SecretId=self._name, VersionId=version)
        except ClientError as exc:
            assert exc.response["Error"]["Code"] == AWS_GONE  # noqa: PT017 - anything else is raised
            return None
        return self._stack.remember(found["SecretString"])

    def candidate(self, run_id: str, stage: dict[str, Any]) -> Seen | None:
        text = self.at(run_id)
        return Seen(run_id, text) if text else None

    def versions(self) -> list[str]:
        return list(self.labels())

    def close(self) -> None:
        """The stack closes its clients."""

    def labels(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = self._client.describe_secret(SecretId=self._name)["VersionIdsToStages"]
        return found

    def leave_nothing_pending(self) -> None:
        """Take AWSPENDING off every version: the store's own way to unstick a secret.

        Emulator gap: a put leaves the label also on the version that had it, and the emulator then refuses to take it
        off the new one. On AWS a label is on one version, and the put moves it away from the promoted one.
        """
        for version in (version for version, names in self.labels().items() if "AWSPENDING" in names):
            self._client.update_secret_version_stage(
                SecretId=self._name, VersionStage="AWSPENDING", RemoveFromVersionId=version
            )


class VaultReader:
    """Vault KV v2: without a version, the newest of the live path."""

    def __init__(self, stack: Stack, name: str) -> None:
        self.client = hvac.Client(url=stack.facts.vault_address, token=stack.credentials.vault_root_token)
        self._kv, self.name, self._stack = self.client.secrets.kv.v2, name, stack

    def live(self) -> Seen:
        found = self._read(self.name, None)
        assert found
        return found

    def at(self, version: str) -> str | None:
        found = self._read(self.name, int(version))
        return found.text if found else None

    def candidate(self, run_id: str, stage: dict[str, Any]) -> Seen | None:
        return self._read(stage["path"].removeprefix(f"{MOUNT}/"), int(stage["version"]))

    def versions(self) -> list[str]:
        return list(self._kv.read_secret_metadata(self.name, mount_point=MOUNT)["data"]["versions"])

    def close(self) -> None:
        self.client.adapter.close()

    def _read(self, path: str, version: int | None) -> Seen | None:
        try:
            found = self._kv.read_secret_version(path, version, mount_point=MOUNT, raise_on_deleted_version=True)
        except InvalidPath:
            return None
        data = found["data"]["data"]
        # a pending value lies beside the id of its run, a live one are the fields themselves
        fields = data["value"] if "run_id" in data else data
        text = self._stack.remember(json.dumps(fields, sort_keys=True, separators=(",", ":")))
        return Seen(str(found["data"]["metadata"]["version"]), text)


class GoogleReader:
    """Google Secret Manager: without a number, the alias that readers use."""

    def __init__(self, stack: Stack, name: str) -> None:
        self.client: Any = plaintext_client(stack.facts.google_endpoint)
        self.secret, self._stack = f"projects/{stack.facts.google_project}/secrets/{name}", stack

    def live(self) -> Seen:
        found = self._access("current")
        assert found
        return found

    def at(self, version: str) -> str | None:
        found = self._access(version)
        return found.text if found else None

    def candidate(self, run_id: str, stage: dict[str, Any]) -> Seen | None:
        return self._access(stage["version"])

    def versions(self) -> list[str]:
        found = self.client.list_secret_versions(parent=self.secret, retry=None)
        return [version.name.rsplit("/", 1)[1] for version in found]

    def close(self) -> None:
        self.client.transport.close()

    def _access(self, version: str) -> Seen | None:
        try:
            found = self.client.access_secret_version(name=f"{self.secret}/versions/{version}", retry=None)
        except (NotFound, FailedPrecondition):
            return None
        return Seen(found.name.rsplit("/", 1)[1], self._stack.remember(found.payload.data.decode()))


def candidate_of(reader: Reader, ended: Ended) -> Seen | None:
    """What an ended run had staged."""
    return reader.candidate(ended.run["run_id"], ended.step("stage")["facts"])
