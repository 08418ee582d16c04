"""Secrets Manager: a secret's shell and its resource policy.

The shell has no version: values are made at run time, and nothing here reads, writes or returns one. A deletion
follows the declared recovery window; zero days deletes at once. A secret that waits for its deletion is adopted by
restoring it, with the versions that it had.
"""

from __future__ import annotations

from typing import Any

from sandbox.handlers import aws_calls as aws
from sandbox.handlers.contract import Properties
from sandbox.handlers.upsert import Upsert

# Secrets Manager's own default, its longest
_RECOVERY_DAYS = 30
# the second when it waits for its deletion
_EXISTS = frozenset({"ResourceExistsException", "InvalidRequestException"})
# on a new secret until its creation is finished, so that a repeated run finishes it; goes when the tags are settled
_UNFINISHED = "keyturn:unfinished"


class Secret(Upsert):
    """`aws:secretsmanager/secret:Secret`; the id is the ARN."""

    serves = frozenset({"name", "description", "kmsKeyId", "recoveryWindowInDays", "tags"})
    replace_on = frozenset({"name"})
    computed = frozenset({"arn"})
    named_by = "name"

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """Make the shell, or bring the one that is there to the wished state without touching its versions."""
        secrets, name = self._clients.of("secretsmanager"), wished["name"]
        key = {"KmsKeyId": wished["kmsKeyId"]} if "kmsKeyId" in wished else {}
        description = wished.get("description", "")
        new = {"Name": name, "Description": description, "Tags": aws.listed({_UNFINISHED: ""})}
        if aws.made(_EXISTS, secrets.create_secret, **new, **key) is None:
            if self._describe(name, even_leaving=True).get("DeletedDate"):
                secrets.restore_secret(SecretId=name)
            secrets.update_secret(SecretId=name, Description=description, **key)
        there = self._describe(name)
        tags_there = aws.unlisted(there.get("Tags", []))
        if _UNFINISHED in tags_there:
            self._empty(name)
        aws.settle(
            wished.get("tags", {}),
            tags_there,
            lambda tags: secrets.tag_resource(SecretId=name, Tags=aws.listed(tags)),
            lambda keys: secrets.untag_resource(SecretId=name, TagKeys=keys),
        )
        return str(there["ARN"])

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """What describes the shell; one that waits for its deletion is gone."""
        there = self._describe(id_)
        if not there:
            return None
        key = {"kmsKeyId": there["KmsKeyId"]} if "kmsKeyId" in wished and there.get("KmsKeyId") else {}
        return {
            "arn": there["ARN"],
            "name": there["Name"],
            "description": there.get("Description", ""),
            "tags": aws.unlisted(there.get("Tags", [])),
            **key,
        }

    def remove(self, id_: str, outputs: Properties, /) -> None:
        """Delete within the declared window."""
        if not self._describe(id_):
            return
        days = int(outputs.get("recoveryWindowInDays", _RECOVERY_DAYS))
        window = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
        self._clients.of("secretsmanager").delete_secret(SecretId=id_, **window)

    def _empty(self, name: str) -> None:
        """The emulator gives a new secret a current version without a value; AWS gives it none: take the label off."""
        secrets = self._clients.of("secretsmanager")
        for version, labels in self._describe(name).get("VersionIdsToStages", {}).items():
            for label in labels:
                secrets.update_secret_version_stage(SecretId=name, VersionStage=label, RemoveFromVersionId=version)

    def _describe(self, id_: str, *, even_leaving: bool = False) -> dict[str, Any]:
        answer = aws.found(self._clients.of("secretsmanager").describe_secret, SecretId=id_) or {}
        return {} if answer.get("DeletedDate") and not even_leaving else answer


class SecretPolicy(Upsert):
    """`aws:secretsmanager/secretPolicy:SecretPolicy`; the id is the secret's ARN."""

    serves = frozenset({"secretArn", "policy", "blockPublicPolicy"})
    replace_on = frozenset({"secretArn"})

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """The whole document."""
        self._clients.of("secretsmanager").put_resource_policy(
            SecretId=wished["secretArn"],
            ResourcePolicy=wished["policy"],
            BlockPublicPolicy=bool(wished.get("blockPublicPolicy")),
        )
        return str(wished["secretArn"])

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """The whole document."""
        answer = aws.found(self._clients.of("secretsmanager").get_resource_policy, SecretId=id_) or {}
        live = answer.get("ResourcePolicy")
        return {"policy": aws.document(live, wished.get("policy"))} if live else None

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """No policy; a secret that is gone took it along."""
        secrets = self._clients.of("secretsmanager")
        there = aws.found(secrets.describe_secret, SecretId=id_)
        if there is not None and not there.get("DeletedDate"):
            aws.found(secrets.delete_resource_policy, SecretId=id_)
