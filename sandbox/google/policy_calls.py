"""The IAM calls on a secret: get, set, test. Policies are stored and fenced, deliberately not enforced.

Enforcement would need the identities of Google; the switch `denied` refuses an identity instead.
"""

from __future__ import annotations

import grpc
from google.iam.v1.iam_policy_pb2 import TestIamPermissionsResponse

from sandbox.google.names import parse_secret
from sandbox.google.protos import Request, Response
from sandbox.google.refusals import Refusal
from sandbox.google.state import State


class PolicyCalls:
    """Policies of one state; the caller holds its lock."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, request: Request) -> Response:
        """GetIamPolicy: an empty policy when none was set (`SecretManagerServiceClient.get_iam_policy`)."""
        return self._state.find(parse_secret(request.resource)).policy

    def set(self, request: Request) -> Response:
        """SetIamPolicy: replaces the whole policy; a stale `policy.etag` is ABORTED, an absent one overwrites.

        Source: `google.iam.v1.Policy.etag` (read-modify-write), the code is an assumption (ASSUMPTIONS.md).
        """
        secret = self._state.find(parse_secret(request.resource))
        if request.policy.etag and request.policy.etag != secret.policy.etag:
            raise Refusal(
                grpc.StatusCode.ABORTED,
                "There were concurrent policy changes. Please retry the whole read-modify-write.",
            )
        secret.policy.CopyFrom(request.policy)
        secret.policy.etag = self._state.etag().encode()
        return secret.policy

    def test(self, request: Request) -> Response:
        """TestIamPermissions: all that were asked for, none for a secret that does not exist, never NOT_FOUND.

        Source: `SecretManagerServiceClient.test_iam_permissions`.
        """
        known = parse_secret(request.resource) in self._state.secrets
        return TestIamPermissionsResponse(permissions=request.permissions if known else ())
