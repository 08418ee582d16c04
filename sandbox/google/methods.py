"""The one table of what the server answers: RPC name, request type, permission, quota kind, implementation.

The rest of the service (`EnableManagedRotation`, `RotateSecret`, `google.cloud.location.Locations`) is deliberately
not in it: gRPC itself answers UNIMPLEMENTED, and the assumptions say so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.cloud.secretmanager_v1.types import service
from google.iam.v1 import iam_policy_pb2

from sandbox.google.policy_calls import PolicyCalls
from sandbox.google.protos import Request, Response
from sandbox.google.quotas import Kind
from sandbox.google.secret_calls import SecretCalls
from sandbox.google.state import State
from sandbox.google.version_calls import VersionCalls

SERVICE_NAME = "google.cloud.secretmanager.v1.SecretManagerService"

# The fields by which a request names what it is about; only one of them exists in each.
_NAMING = ("name", "parent", "resource")


@dataclass(frozen=True)
class Method:
    """One RPC: `permission` is what IAM would ask for (IAM docs, 'Secret Manager roles and permissions')."""

    name: str
    request: Any
    permission: str
    kind: Kind
    call: Callable[[Request], Response]


def resource_of(request: Request) -> str:
    """The resource a request is about, as the caller spelled it; never anything of a payload."""
    for field in _NAMING:
        if hasattr(request, field):
            return str(getattr(request, field))
    return str(request.secret.name)


def methods(state: State) -> tuple[Method, ...]:
    """Every RPC that the server answers, over one state."""
    return (*_secret_methods(SecretCalls(state)), *_version_methods(VersionCalls(state)), *_policy_methods(state))


def _secret_methods(calls: SecretCalls) -> tuple[Method, ...]:
    prefix = "secretmanager.secrets"
    return (
        Method("CreateSecret", service.CreateSecretRequest.pb(), f"{prefix}.create", Kind.WRITE, calls.create),
        Method("GetSecret", service.GetSecretRequest.pb(), f"{prefix}.get", Kind.READ, calls.get),
        Method("ListSecrets", service.ListSecretsRequest.pb(), f"{prefix}.list", Kind.READ, calls.list),
        Method("UpdateSecret", service.UpdateSecretRequest.pb(), f"{prefix}.update", Kind.WRITE, calls.update),
        Method("DeleteSecret", service.DeleteSecretRequest.pb(), f"{prefix}.delete", Kind.WRITE, calls.delete),
    )


def _version_methods(calls: VersionCalls) -> tuple[Method, ...]:
    prefix = "secretmanager.versions"
    add, read, listed = (
        service.AddSecretVersionRequest,
        service.GetSecretVersionRequest,
        service.ListSecretVersionsRequest,
    )
    enable, disable = service.EnableSecretVersionRequest, service.DisableSecretVersionRequest
    access, destroy = service.AccessSecretVersionRequest, service.DestroySecretVersionRequest
    return (
        Method("AddSecretVersion", add.pb(), f"{prefix}.add", Kind.WRITE, calls.add),
        Method("GetSecretVersion", read.pb(), f"{prefix}.get", Kind.READ, calls.get),
        Method("ListSecretVersions", listed.pb(), f"{prefix}.list", Kind.READ, calls.list),
        Method("AccessSecretVersion", access.pb(), f"{prefix}.access", Kind.ACCESS, calls.access),
        Method("EnableSecretVersion", enable.pb(), f"{prefix}.enable", Kind.WRITE, calls.enable),
        Method("DisableSecretVersion", disable.pb(), f"{prefix}.disable", Kind.WRITE, calls.disable),
        Method("DestroySecretVersion", destroy.pb(), f"{prefix}.destroy", Kind.WRITE, calls.destroy),
    )


def _policy_methods(state: State) -> tuple[Method, ...]:
    calls = PolicyCalls(state)
    prefix = "secretmanager.secrets"
    read, write = iam_policy_pb2.GetIamPolicyRequest, iam_policy_pb2.SetIamPolicyRequest
    return (
        Method("GetIamPolicy", read, f"{prefix}.getIamPolicy", Kind.READ, calls.get),
        Method("SetIamPolicy", write, f"{prefix}.setIamPolicy", Kind.WRITE, calls.set),
        Method("TestIamPermissions", iam_policy_pb2.TestIamPermissionsRequest, f"{prefix}.get", Kind.READ, calls.test),
    )
