"""The calls on secrets: create, get, list, update, delete.

Requests and answers are raw messages of the client library; refusals carry the service's code. Expiry (`ttl`,
`expire_time`) and regional secrets are deliberately not here and are refused.
"""

from __future__ import annotations

import grpc
from google.protobuf.empty_pb2 import Empty

from sandbox.google.checks import check_aliases, check_annotations, check_labels, check_secret_id
from sandbox.google.names import SecretName, parse_project, parse_secret
from sandbox.google.paging import page
from sandbox.google.protos import ListSecretsResponse, Request, Response, Secret, SecretMessage, timestamp
from sandbox.google.refusals import Refusal, invalid, unimplemented
from sandbox.google.schedule_checks import check_destroy_ttl, check_rotation, check_topics
from sandbox.google.state import State, check_etag

# What `UpdateSecret` may change; replication is immutable, the rest is output only (`types.Secret`).
_MUTABLE = frozenset(
    {
        "labels",
        "annotations",
        "version_aliases",
        "topics",
        "rotation",
        "rotation.next_rotation_time",
        "rotation.rotation_period",
        "version_destroy_ttl",
    }
)
_ROTATION = frozenset(path for path in _MUTABLE if path.startswith(("rotation", "topics")))


class SecretCalls:
    """Secrets of one state; the caller holds its lock."""

    def __init__(self, state: State) -> None:
        self._state = state

    def create(self, request: Request) -> Response:
        """CreateSecret: a shell without versions; ALREADY_EXISTS when the id is taken in the project.

        Source: `CreateSecretRequest` ("must be unique within the project"), `Secret.replication` (required for
        global secrets), secret-manager/docs/creating-and-accessing-secrets.
        """
        check_secret_id(request.secret_id)
        name = SecretName(parse_project(request.parent), request.secret_id)
        if name in self._state.secrets:
            raise Refusal(grpc.StatusCode.ALREADY_EXISTS, f"Secret [{name}] already exists.")
        message = Secret()
        message.CopyFrom(request.secret)
        if message.replication.WhichOneof("replication") is None:
            raise invalid("A secret needs a replication policy.")
        self._check(message, newest=0)
        check_rotation(message, self._state.clock())
        message.name = str(name)
        message.create_time.CopyFrom(timestamp(self._state.clock()))
        message.etag = self._state.etag()
        secret = self._state.add(name, message)
        self._state.notify(secret, "SECRET_CREATE", str(name))
        return message

    def get(self, request: Request) -> Response:
        """GetSecret: metadata and aliases as readers see them, which may be stale ('Resource consistency')."""
        return self._state.seen(parse_secret(request.name)).secret

    def list(self, request: Request) -> Response:
        """ListSecrets: of one project, newest first, eventually consistent (`ListSecretsResponse.secrets`)."""
        project = parse_project(request.parent)
        names = [name for name in reversed(self._state.secrets) if name.project == project]
        chosen, token = page(names, request)
        found = [self._state.seen(name).secret for name in chosen]
        return ListSecretsResponse(secrets=found, next_page_token=token, total_size=len(names))

    def update(self, request: Request) -> Response:
        """UpdateSecret: the fields of the mask, maps replaced whole, fenced by `secret.etag` when given.

        Any success changes the etag, even when it changes nothing else. Source: `UpdateSecretRequest`,
        secret-manager/docs/etags, secret-manager/docs/assign-alias-to-secret-version.
        """
        paths = set(request.update_mask.paths)
        if not paths or paths - _MUTABLE:
            raise invalid(f"update_mask must name fields out of {sorted(_MUTABLE)}, not {sorted(paths)}.")
        secret = self._state.find(parse_secret(request.secret.name))
        check_etag(request.secret.etag, secret.message.etag)
        wanted = Secret()
        wanted.CopyFrom(secret.message)
        request.update_mask.MergeMessage(
            request.secret, wanted, replace_message_field=True, replace_repeated_field=True
        )
        self._check(wanted, newest=len(secret.versions))
        if paths & _ROTATION:
            check_rotation(wanted, self._state.clock())
        wanted.etag = self._state.etag()
        secret.message.CopyFrom(wanted)
        self._state.changed(secret, "SECRET_UPDATE", str(secret.name))
        return secret.message

    def delete(self, request: Request) -> Response:
        """DeleteSecret: with all versions, at once and for good; `etag` fences when given (`DeleteSecretRequest`)."""
        secret = self._state.find(parse_secret(request.name))
        check_etag(request.etag, secret.message.etag)
        del self._state.secrets[secret.name]
        self._state.notify(secret, "SECRET_DELETE", str(secret.name))
        return Empty()

    def _check(self, secret: SecretMessage, newest: int) -> None:
        if secret.WhichOneof("expiration") is not None:
            raise unimplemented("Expiry of a secret")
        check_labels(secret.labels)
        check_annotations(secret.annotations)
        check_aliases(secret.version_aliases, newest)
        check_topics(secret)
        check_destroy_ttl(secret)
