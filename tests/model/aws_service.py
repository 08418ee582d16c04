"""Secrets Manager in memory behind boto3's method names: versions, staging labels and tokens as the service documents.

Source: botocore's service model of PutSecretValue, GetSecretValue, DescribeSecret, UpdateSecretVersionStage. What it
pretends: a put is visible at once, nothing is throttled, and a version without a label is kept for ever, where the
service may delete it after a day. Not here: deletion, binary values, rotation itself; `begin_rotation` leaves what a
RotateSecret that died leaves behind.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"
# ClientRequestToken (botocore's model)
TOKEN_CHARS = range(32, 65)
# labels of one secret (quotas of the user guide)
MOST_LABELS = 20


@dataclass
class AwsSecret:
    """Values by version id (None: a placeholder without a value), and where each label is."""

    values: dict[str, str | None] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    def put_label(self, label: str, version: str) -> None:
        """A label is on one version; AWSPREVIOUS follows the version that AWSCURRENT left."""
        left = self.labels.get(label)
        self.labels[label] = version
        if label == CURRENT and left is not None and left != version:
            self.labels[PREVIOUS] = left


class AwsService:
    """One account and region; its methods are those of a boto3 client that the store calls."""

    def __init__(self) -> None:
        self.secrets: dict[str, AwsSecret] = {}

    def create_secret(self, *, Name: str) -> dict[str, Any]:  # noqa: N803 - boto3's names, as below
        """A secret without any version."""
        if Name in self.secrets:
            raise _refused("CreateSecret", "ResourceExistsException")
        self.secrets[Name] = AwsSecret()
        return {"Name": Name}

    def put_secret_value(
        self,
        *,
        SecretId: str,  # noqa: N803
        SecretString: str,  # noqa: N803
        ClientRequestToken: str = "",  # noqa: N803
        VersionStages: Sequence[str] = (CURRENT,),  # noqa: N803
    ) -> dict[str, Any]:
        """The same token and data change nothing; other data under a token that has some are refused."""
        secret = self._find(SecretId, "PutSecretValue")
        token = ClientRequestToken or str(uuid.uuid4())
        if len(token) not in TOKEN_CHARS:
            raise _refused("PutSecretValue", "InvalidParameterException")
        held = secret.values.get(token)
        if held is not None and held != SecretString:
            raise _refused("PutSecretValue", "ResourceExistsException")
        if held is None:
            first = not any(value is not None for value in secret.values.values())
            secret.values[token] = SecretString
            # the first version of a secret is current, whatever the put asks for
            for label in (*VersionStages, *([CURRENT] if first else ())):
                secret.put_label(label, token)
        return {"VersionId": token, "VersionStages": _labels_of(secret, token)}

    def get_secret_value(
        self,
        *,
        SecretId: str,  # noqa: N803
        VersionId: str = "",  # noqa: N803
        VersionStage: str = "",  # noqa: N803
    ) -> dict[str, Any]:
        """By id, by label, or AWSCURRENT; a placeholder has no value, which is not found too."""
        secret = self._find(SecretId, "GetSecretValue")
        version = VersionId or secret.labels.get(VersionStage or CURRENT, "")
        value = secret.values.get(version)
        if value is None or (VersionStage and secret.labels.get(VersionStage) != version):
            raise _refused("GetSecretValue", "ResourceNotFoundException")
        return {"VersionId": version, "SecretString": value, "VersionStages": _labels_of(secret, version)}

    def describe_secret(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803
        """Every version that has a label, placeholders too."""
        secret = self._find(SecretId, "DescribeSecret")
        stages = {version: _labels_of(secret, version) for version in secret.labels.values()}
        return {"Name": SecretId, "VersionIdsToStages": stages}

    def list_secret_version_ids(self, *, SecretId: str, IncludeDeprecated: bool = False) -> dict[str, Any]:  # noqa: N803
        """Versions with a value; those without a label only when asked for."""
        secret = self._find(SecretId, "ListSecretVersionIds")
        found = [v for v, value in secret.values.items() if value is not None]
        kept = [v for v in found if IncludeDeprecated or _labels_of(secret, v)]
        return {"Versions": [{"VersionId": v, "VersionStages": _labels_of(secret, v)} for v in kept]}

    def update_secret_version_stage(
        self,
        *,
        SecretId: str,  # noqa: N803
        VersionStage: str,  # noqa: N803
        MoveToVersionId: str = "",  # noqa: N803
        RemoveFromVersionId: str = "",  # noqa: N803
    ) -> dict[str, Any]:
        """RemoveFromVersionId must name the version that has the label, if one has: the compare-and-set."""
        verb = "UpdateSecretVersionStage"
        secret = self._find(SecretId, verb)
        if MoveToVersionId and MoveToVersionId not in secret.values:
            raise _refused(verb, "ResourceNotFoundException")
        if secret.labels.get(VersionStage, "") != RemoveFromVersionId:
            raise _refused(verb, "InvalidParameterException")
        if MoveToVersionId:
            if len({*secret.labels, VersionStage}) > MOST_LABELS:
                raise _refused(verb, "LimitExceededException")
            secret.put_label(VersionStage, MoveToVersionId)
        elif VersionStage == CURRENT:
            # AWSCURRENT can be moved, never taken away
            raise _refused(verb, "InvalidParameterException")
        else:
            del secret.labels[VersionStage]
        return {"Name": SecretId}

    def begin_rotation(self, name: str, token: str) -> None:
        """What RotateSecret does first: AWSPENDING on a version without a value."""
        secret = self.secrets[name]
        secret.values.setdefault(token, None)
        secret.put_label(PENDING, token)

    def _find(self, name: str, verb: str) -> AwsSecret:
        if name not in self.secrets:
            raise _refused(verb, "ResourceNotFoundException")
        return self.secrets[name]


def _labels_of(secret: AwsSecret, version: str) -> list[str]:
    return sorted(label for label, at in secret.labels.items() if at == version)


def _refused(verb: str, code: str) -> ClientError:
    said: Mapping[str, Any] = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(said, verb)  # type: ignore[arg-type]
