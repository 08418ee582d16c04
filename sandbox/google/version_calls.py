"""The calls on versions: add, get, list, access, enable, disable, destroy.

`AddSecretVersion` has neither etag nor request id (`AddSecretVersionRequest` is parent and payload): a repeated call
makes another version, here as there.
"""

from __future__ import annotations

from sandbox.google.crc32c import crc32c
from sandbox.google.names import VersionName, parse_secret, parse_version
from sandbox.google.paging import page
from sandbox.google.protos import (
    DISABLED,
    ENABLED,
    AccessSecretVersionResponse,
    ListSecretVersionsResponse,
    Request,
    Response,
    SecretVersion,
    timestamp,
)
from sandbox.google.refusals import invalid, not_found
from sandbox.google.state import State, StoredSecret, StoredVersion, check_etag, check_not_destroyed, not_in_state
from sandbox.google.views import View

# Secret Manager quotas page, 'Content limits': payload size 64 KiB.
PAYLOAD_BYTES = 64 * 1024


class VersionCalls:
    """Versions of one state; the caller holds its lock."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, request: Request) -> Response:
        """AddSecretVersion: the next number, ENABLED; the secret's own etag does not change.

        A `data_crc32c` that does not match is INVALID_ARGUMENT; one that does is confirmed in
        `client_specified_payload_checksum`. Source: secret-manager/docs/data-integrity, `SecretVersion.name`
        ("start at 1 and are incremented"), secret-manager/docs/etags.
        """
        secret = self._state.find(parse_secret(request.parent))
        data = bytes(request.payload.data)
        checked = request.payload.HasField("data_crc32c")
        if not data or len(data) > PAYLOAD_BYTES:
            raise invalid(f"The payload has {len(data)} bytes; it must have 1 to {PAYLOAD_BYTES}.")
        if checked and request.payload.data_crc32c != crc32c(data):
            raise invalid("The payload does not match its data_crc32c checksum.")
        message = SecretVersion(
            name=secret.name.version(len(secret.versions) + 1),
            create_time=timestamp(self._state.clock()),
            state=ENABLED,
            etag=self._state.etag(),
            client_specified_payload_checksum=checked,
        )
        message.replication_status.automatic.SetInParent()
        secret.versions.append(StoredVersion(message, data))
        self._state.changed(secret, "SECRET_VERSION_ADD", message.name)
        return message

    def get(self, request: Request) -> Response:
        """GetSecretVersion: metadata by number, `latest` or alias, as readers see it ('Resource consistency')."""
        name = parse_version(request.name)
        view = self._state.seen(name.secret)
        number = _resolve(name, view)
        if not 1 <= number <= len(view.versions):
            raise not_found(f"Secret Version [{name}] not found.")
        return view.versions[number - 1]

    def list(self, request: Request) -> Response:
        """ListSecretVersions: newest first, every state, eventually consistent (`ListSecretVersionsResponse`)."""
        versions = self._state.seen(parse_secret(request.parent)).versions
        chosen, token = page(versions[::-1], request)
        return ListSecretVersionsResponse(versions=chosen, next_page_token=token, total_size=len(versions))

    def access(self, request: Request) -> Response:
        """AccessSecretVersion: the payload with its checksum; FAILED_PRECONDITION unless ENABLED.

        By number it is strongly consistent with the add; `latest` (the most recently created, whatever its state)
        and aliases are resolved as readers see them. Source: 'Resource consistency',
        `AccessSecretVersionRequest.name`, external-secrets/external-secrets#4042.
        """
        name = parse_version(request.name)
        secret = self._state.find(name.secret)
        number = name.number if name.number is not None else _resolve(name, self._state.seen(name.secret))
        version = secret.version(number)
        if version.message.state != ENABLED:
            raise not_in_state(version.message)
        answer = AccessSecretVersionResponse(name=version.message.name)
        answer.payload.data = version.payload
        answer.payload.data_crc32c = crc32c(version.payload)
        return answer

    def enable(self, request: Request) -> Response:
        """EnableSecretVersion: also cancels a scheduled destruction; repeating it still changes the etag.

        Source: secret-manager/docs/etags (the no-operation update), delay-destruction-of-secret-versions.
        """
        return self._set_state(request, ENABLED, "SECRET_VERSION_ENABLE")

    def disable(self, request: Request) -> Response:
        """DisableSecretVersion: the data stays and can be enabled again; also cancels a scheduled destruction."""
        return self._set_state(request, DISABLED, "SECRET_VERSION_DISABLE")

    def destroy(self, request: Request) -> Response:
        """DestroySecretVersion: gone at once, or with `version_destroy_ttl` DISABLED and scheduled.

        Source: `Secret.version_destroy_ttl`, delay-destruction-of-secret-versions (the notice has its name).
        """
        secret, version = self._writable(request)
        delay = secret.message.version_destroy_ttl.seconds
        if delay:
            version.message.state = DISABLED
            if not version.message.HasField("scheduled_destroy_time"):
                version.message.scheduled_destroy_time.CopyFrom(timestamp(self._state.clock() + delay))
            version.message.etag = self._state.etag()
        else:
            self._state.destroy(version)
        event = "SECRET_VERSION_DESTROY_SCHEDULED" if delay else "SECRET_VERSION_DESTROY"
        self._state.changed(secret, event, version.message.name)
        return version.message

    def _set_state(self, request: Request, state: int, event: str) -> Response:
        secret, version = self._writable(request)
        version.message.state = state
        version.message.ClearField("scheduled_destroy_time")
        version.message.etag = self._state.etag()
        self._state.changed(secret, event, version.message.name)
        return version.message

    def _writable(self, request: Request) -> tuple[StoredSecret, StoredVersion]:
        """The version by number only: "Access by alias is only ... supported on GetSecretVersion and Access..."."""
        name = parse_version(request.name)
        if name.number is None:
            raise invalid(f"Secret Version [{name}] must be named by its number here.")
        secret = self._state.find(name.secret)
        version = secret.version(name.number)
        check_etag(request.etag, version.message.etag)
        check_not_destroyed(version.message)
        return secret, version


def _resolve(name: VersionName, view: View) -> int:
    """The number behind `latest`, an alias or a number, in what the reader sees; NOT_FOUND without one."""
    if name.number is not None:
        return name.number
    if name.label == "latest":
        if not view.versions:
            raise not_found(f"Secret [{name.secret}] not found or has no versions.")
        return len(view.versions)
    if name.label not in view.secret.version_aliases:
        raise not_found(f"Secret Version [{name}] not found.")
    return int(view.secret.version_aliases[name.label])
