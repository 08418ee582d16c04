"""Secret Manager on the wire: the few calls of the adapter, each counted, checked for integrity and under a deadline.

Source: google-cloud-secret-manager's types and the service's documentation (versions, etags, data integrity).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rotation.calls import READ_TIMEOUT_S, Caller, Kind
from rotation.errors import Refused, Unavailable
from rotation.stores.crc32c import crc32c
from rotation.value import SecretValue

# Reason of the Conflict of a version that is destroyed for good, which a disabled one is not (`gcp_client`).
DESTROYED = "gcp_destroyed"
# One deadline for connecting and answering: gRPC has no other.
_CALL: Mapping[str, Any] = {"retry": None, "timeout": READ_TIMEOUT_S}


@dataclass(frozen=True, kw_only=True)
class Shell:
    """A secret without its values. The maps are whole, because an update replaces them whole."""

    etag: str
    aliases: Mapping[str, int]
    annotations: Mapping[str, str]


class Api:
    """Calls on secrets named `projects/P/secrets/S` and on their versions by number or alias."""

    def __init__(self, client: Any, caller: Caller) -> None:
        self._client = client
        self._caller = caller

    def shell(self, path: str) -> Shell:
        """GetSecret: one read, eventually consistent."""
        secret = self._caller.call(Kind.READ, lambda: self._client.get_secret(request={"name": path}, **_CALL))
        return Shell(etag=secret.etag, aliases=dict(secret.version_aliases), annotations=dict(secret.annotations))

    def update(self, path: str, shell: Shell) -> None:
        """UpdateSecret of aliases and annotations alone: one write. Conflict when the etag is not the stored one."""
        wanted = {
            "name": path,
            "etag": shell.etag,
            "version_aliases": dict(shell.aliases),
            "annotations": dict(shell.annotations),
        }
        request = {"secret": wanted, "update_mask": {"paths": ["version_aliases", "annotations"]}}
        self._caller.call(Kind.WRITE, lambda: self._client.update_secret(request=request, **_CALL))

    def add(self, path: str, value: SecretValue) -> str:
        """AddSecretVersion: one write, sent once, because a repetition would make another version. Its number."""
        data = value.unsafe_reveal().encode()
        request = {"parent": path, "payload": {"data": data, "data_crc32c": crc32c(data)}}
        added = self._caller.call(
            Kind.WRITE, lambda: self._client.add_secret_version(request=request, **_CALL), idempotent=False
        )
        if not added.client_specified_payload_checksum:
            raise Unavailable("checksum_unconfirmed", "Google did not confirm the checksum of the new version")
        return _number(added.name)

    def access(self, path: str, version: str) -> tuple[str, SecretValue]:
        """AccessSecretVersion by number (strongly consistent) or alias (not): the number, the value. One read.

        Conflict when the version is not enabled, Refused `binary_value` when it is not text.
        """
        request = {"name": f"{path}/versions/{version}"}
        answer = self._caller.call(Kind.READ, lambda: self._client.access_secret_version(request=request, **_CALL))
        data = answer.payload.data
        if answer.payload.data_crc32c != crc32c(data):
            raise Unavailable("checksum_mismatch", f"version {version} of {path} arrived damaged", "read it again")
        return _number(answer.name), _text(path, version, data)

    def destroy(self, path: str, version: str) -> bool:
        """DestroySecretVersion: one write. True when it is only scheduled (`version_destroy_ttl`).

        Conflict when it is destroyed already. A scheduled one keeps its time when asked again.
        """
        request = {"name": f"{path}/versions/{version}"}
        answer = self._caller.call(Kind.WRITE, lambda: self._client.destroy_secret_version(request=request, **_CALL))
        return bool(answer.scheduled_destroy_time)


def _number(name: str) -> str:
    return name.rpartition("/")[2]


def _text(path: str, version: str, data: bytes) -> SecretValue:
    try:
        return SecretValue(data.decode())
    except UnicodeDecodeError:
        pass
    # raised out here, because that exception carries the bytes
    raise Refused("binary_value", f"version {version} of {path} is not text", "store the credential as a JSON text")
