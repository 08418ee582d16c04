"""A secret of AWS Secrets Manager. Keyturn's version id is the store's: a run's id is the ClientRequestToken."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from keyturn.client.errors import Missing, Unavailable
from keyturn.client.sources import Fetched
from keyturn.client.value import Value

_CURRENT, _PENDING = "AWSCURRENT", "AWSPENDING"
# Codes of GetSecretValue that another call would answer alike.
_GONE = frozenset(
    {"ResourceNotFoundException", "InvalidRequestException", "InvalidParameterException", "AccessDeniedException"}
)


class AwsSource:
    """`client` is a boto3 client of `secretsmanager`, `secret_id` a name or an ARN."""

    lagging = False
    names_versions = True

    def __init__(self, client: Any, secret_id: str) -> None:
        self._client, self._secret_id = client, secret_id

    def current(self) -> Fetched:
        """The version labelled AWSCURRENT."""
        return self._get(VersionStage=_CURRENT)

    def by_version(self, store_version: str) -> Fetched:
        """Any version but one that is only pending: Missing `version_pending`."""
        return self._get(VersionId=store_version)

    def _get(self, **which: str) -> Fetched:
        try:
            answer = self._client.get_secret_value(SecretId=self._secret_id, **which)
        except ClientError as exc:
            code = str(exc.response.get("Error", {}).get("Code", ""))
            if code in _GONE:
                raise Missing("secret_not_given", f"{self._secret_id}: {code}") from exc
            raise Unavailable("store_unavailable", f"{self._secret_id}: {code}") from exc
        except BotoCoreError as exc:
            raise Unavailable("store_unavailable", f"{self._secret_id}: {type(exc).__name__}") from exc
        labels = answer.get("VersionStages", ())
        if _PENDING in labels and _CURRENT not in labels:
            raise Missing("version_pending", f"{self._secret_id}: the version is not current yet")
        if "SecretString" not in answer:
            raise Missing("value_not_text", f"{self._secret_id}: the version is binary; Keyturn's are text")
        return Fetched(store_version=answer["VersionId"], value=Value(answer["SecretString"]))
