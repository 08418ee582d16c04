"""Shells in Google Secret Manager and their access. Never a version; aliases and annotations belong to the runtime.

The function holds a role of its own with exactly the permissions a rotation uses: the predefined roles either lack
`secrets.update` or allow deletion. Readers hold `secretAccessor` on their one secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_gcp as gcp

from infra.authorities import named
from infra.names import Names
from rotation.policy import Policy

_ACCESSOR = "roles/secretmanager.secretAccessor"
_PERMISSIONS = (
    "secretmanager.secrets.get",
    "secretmanager.secrets.update",
    "secretmanager.versions.access",
    "secretmanager.versions.add",
    "secretmanager.versions.destroy",
)
# What a run moves: Pulumi would put it back.
MOVED_BY_THE_RUNTIME = ["annotations", "versionAliases"]


@dataclass(frozen=True, kw_only=True)
class GoogleSecretsArgs:
    """`policies`: resolved, those of the store `gcp`. `member`: the function's service account, as IAM writes it.

    `more_authorities`: paths beside the policies' own.
    """

    names: Names
    policies: Sequence[Policy]
    member: Any
    more_authorities: Sequence[str] = ()


class GoogleSecrets(pulumi.ComponentResource):
    """The shells and their members."""

    def __init__(self, name: str, args: GoogleSecretsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:infra:GoogleSecrets", name, None, opts)
        self._args = args
        self._project = args.names.settings.google_project
        rotator = self._rotator()
        for policy in args.policies:
            secret_id = _id(policy.ref.path)
            secret = self._shell(secret_id, policy.owner)
            self._member(f"{secret_id}-function", secret, rotator.name, args.member)
            for number, reader in enumerate(policy.readers):
                self._member(f"{secret_id}-reader-{number}", secret, _ACCESSOR, reader)
        for authority in map(_id, named(args.policies, args.more_authorities)):
            self._member(f"{authority}-function", self._shell(authority, "platform"), _ACCESSOR, args.member)
        self.register_outputs({})

    def _rotator(self) -> gcp.projects.IAMCustomRole:
        name = self._args.names.of("rotator")
        return gcp.projects.IAMCustomRole(
            name,
            project=self._project,
            # Google's role ids have no hyphens
            role_id=name.replace("-", "_"),
            title=f"Keyturn rotates ({self._args.names.settings.stack})",
            permissions=list(_PERMISSIONS),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _shell(self, secret_id: str, owner: str) -> gcp.secretmanager.Secret:
        protects = self._args.names.settings.protects
        return gcp.secretmanager.Secret(
            secret_id,
            project=self._project,
            secret_id=secret_id,
            replication={"auto": {}},
            labels={"owner": owner},
            deletion_protection=protects,
            opts=pulumi.ResourceOptions(parent=self, protect=protects, ignore_changes=MOVED_BY_THE_RUNTIME),
        )

    def _member(self, name: str, secret: gcp.secretmanager.Secret, role: Any, member: Any) -> None:
        gcp.secretmanager.SecretIamMember(
            name,
            project=self._project,
            secret_id=secret.secret_id,
            role=role,
            member=member,
            opts=pulumi.ResourceOptions(parent=self),
        )


def _id(path: str) -> str:
    return path.rsplit("/", 1)[-1]
