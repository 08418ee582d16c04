"""The hands of somebody else at the three stores: a pending version, or a version that readers get at once.

Plain clients past Keyturn, as a script, a console or another tool would use them.
"""

from __future__ import annotations

import json
import secrets
from typing import Any, Protocol

from google.protobuf.field_mask_pb2 import FieldMask
from runs_stack import Stack
from runs_stores import MOUNT, AwsReader, GoogleReader, VaultReader

# A ClientRequestToken has 32 to 64 characters.
_TOKEN_BYTES = 16


class Store(Protocol):
    """What somebody else does to one secret."""

    def leave_pending(self, text: str, owner: str = "") -> None:
        """A pending version; `owner`: the run that it claims to be of, where the store tells."""
        ...

    def make_current(self, text: str) -> None:
        """Readers get this value from now on."""
        ...

    def point_at(self, version: str) -> None:
        """Readers get what this pending version of the store holds, as a promotion leaves it."""
        ...

    def pendings(self) -> list[str]:
        """Versions that wait to become current and hold up, or could be taken for, a rotation."""
        ...


class Aws:
    """Secrets Manager."""

    def __init__(self, stack: Stack, reader: AwsReader, name: str) -> None:
        self._client, self._reader, self._name = stack.aws("secretsmanager"), reader, name

    def leave_pending(self, text: str, owner: str = "") -> None:
        token = owner or secrets.token_hex(_TOKEN_BYTES)
        self._client.put_secret_value(
            SecretId=self._name, ClientRequestToken=token, SecretString=text, VersionStages=["AWSPENDING"]
        )

    def leave_placeholder(self) -> str:
        """AWSPENDING on a version without a value, as a broken-off RotateSecret leaves it.

        Emulator gap: RotateSecret itself promotes a copy at once here; AWS refuses this put.
        """
        token = secrets.token_hex(_TOKEN_BYTES)
        self._client.put_secret_value(SecretId=self._name, ClientRequestToken=token, VersionStages=["AWSPENDING"])
        return token

    def make_current(self, text: str) -> None:
        self._client.put_secret_value(SecretId=self._name, SecretString=text)

    def point_at(self, version: str) -> None:
        self._client.update_secret_version_stage(
            SecretId=self._name,
            VersionStage="AWSCURRENT",
            MoveToVersionId=version,
            RemoveFromVersionId=self._reader.live().version,
        )

    def pendings(self) -> list[str]:
        """The version that has the label last, where it neither is current nor was it just before.

        Emulator gap: a put leaves the label also on versions that were promoted before.
        """
        labels = self._reader.labels()
        holders = [version for version, names in labels.items() if "AWSPENDING" in names]
        settled = {"AWSCURRENT", "AWSPREVIOUS"}
        return [version for version in holders[-1:] if not settled & set(labels[version])]


class Vault:
    """KV v2: live path and pending path."""

    def __init__(self, reader: VaultReader) -> None:
        self._reader, self._kv = reader, reader.client.secrets.kv.v2

    def leave_pending(self, text: str, owner: str = "") -> None:
        """Without an owner it is of a run that no ledger knows."""
        self._write(self._pending, {"run_id": owner or secrets.token_hex(_TOKEN_BYTES), "value": json.loads(text)})

    def scribble_pending(self, text: str) -> str:
        """Something on the pending path that no Keyturn wrote; its version."""
        self._write(self._pending, json.loads(text))
        return self.pendings()[0]

    def destroy_pending(self, version: str) -> None:
        self._kv.destroy_secret_versions(self._pending, versions=[int(version)], mount_point=MOUNT)

    def make_current(self, text: str) -> None:
        self._write(self._reader.name, json.loads(text))

    def point_at(self, version: str) -> None:
        held = self._kv.read_secret_version(
            self._pending, int(version), mount_point=MOUNT, raise_on_deleted_version=True
        )
        self._write(self._reader.name, held["data"]["data"]["value"])

    def pendings(self) -> list[str]:
        versions = self._kv.read_secret_metadata(self._pending, mount_point=MOUNT)["data"]["versions"]
        return [number for number, told in versions.items() if not (told["destroyed"] or told["deletion_time"])]

    def _write(self, path: str, data: dict[str, Any]) -> None:
        """Both paths are declared, so that they have a number to check against."""
        current = self._kv.read_secret_metadata(path, mount_point=MOUNT)["data"]["current_version"]
        self._kv.create_or_update_secret(path, secret=data, cas=current, mount_point=MOUNT)

    @property
    def _pending(self) -> str:
        return f"pending/{self._reader.name}"


class Google:
    """Secret Manager: numbers and the alias `current`."""

    def __init__(self, stack: Stack, reader: GoogleReader, name: str) -> None:
        self._stack, self._name = stack, name
        self._reader, self._client, self._secret = reader, reader.client, reader.secret

    def leave_pending(self, text: str, owner: str = "") -> None:
        del owner  # a version does not say whose it is
        self._add(text)

    def make_current(self, text: str) -> None:
        self.point_at(self._add(text))

    def point_at(self, version: str) -> None:
        secret: Any = self._client.get_secret(name=self._secret, retry=None)
        secret.version_aliases = {**secret.version_aliases, "current": int(version)}
        mask = FieldMask(paths=["version_aliases"])
        self._client.update_secret(secret=secret, update_mask=mask, retry=None)

    def pendings(self) -> list[str]:
        """Enabled versions above the current one, but for those that a rollback has left there."""
        head = self._stack.head(self._name)
        left = {way["old"]["id"] for way in (head["overlap"], head["retired"]) if way}
        found = self._client.list_secret_versions(parent=self._secret, retry=None)
        enabled = {version.name.rsplit("/", 1)[1] for version in found if version.state.name == "ENABLED"}
        return [number for number in enabled - left if int(number) > int(self._reader.live().version)]

    def _add(self, text: str) -> str:
        made = self._client.add_secret_version(parent=self._secret, payload={"data": text.encode()}, retry=None)
        return str(made.name.rsplit("/", 1)[1])
