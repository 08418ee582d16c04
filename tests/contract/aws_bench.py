"""Secrets Manager of an emulator for the store contract, and what somebody else does to its secrets."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError
from store_bench import FaultyCaller

from rotation import aws_client
from rotation.contract import SecretRef
from rotation.stores.aws import AwsStore
from rotation.value import SecretValue

_numbers = itertools.count(1)


@contextmanager
def emulated_account(endpoint: str = "") -> Iterator[Any]:
    """A client as the runtime makes it, with the environment of a function of an emulated account."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        if endpoint:
            patch.setenv("AWS_ENDPOINT_URL", endpoint)
        yield aws_client.client("secretsmanager")


class AwsBench:
    """One emulator; `raw` is somebody else's client, `client` the one that adapters get.

    registers: how an emulator can be brought to give AWSPENDING to a version without a value, under a token, as
    RotateSecret does on AWS before it calls the function; without it the client is a model that does so when told.
    """

    absent = SecretRef(store="aws", path="payments/absent")

    def __init__(self, raw: Any, *, registers: Callable[[Any, SecretRef, str], None] | None = None) -> None:
        self._registers = registers
        self.caller = FaultyCaller("secretsmanager", aws_client.translate)
        self.raw = raw
        self.client = Listening(raw)

    def store(self) -> AwsStore:
        return AwsStore(self.client, self.caller)

    def new_secret(self) -> SecretRef:
        ref = SecretRef(store="aws", path=f"payments/{next(_numbers)}")
        self.raw.create_secret(Name=ref.path)
        return ref

    def somebody_writes(self, ref: SecretRef, value: SecretValue) -> None:
        self.raw.put_secret_value(SecretId=ref.path, SecretString=value.unsafe_reveal())

    def readers_get(self, ref: SecretRef) -> SecretValue | None:
        try:
            return SecretValue(self.raw.get_secret_value(SecretId=ref.path, VersionStage="AWSCURRENT")["SecretString"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return None

    def versions_made(self, ref: SecretRef) -> int:
        answer = self.raw.list_secret_version_ids(SecretId=ref.path, IncludeDeprecated=True)
        return len(answer["Versions"])

    def register_placeholder(self, ref: SecretRef, token: str) -> None:
        """A rotation that died before its first step: a pending version that never got a value."""
        if self._registers is None:
            self.raw.begin_rotation(ref.path, token)
        else:
            self._registers(self.raw, ref, token)

    def labels(self, ref: SecretRef) -> dict[str, list[str]]:
        """Version to its labels."""
        labels: dict[str, list[str]] = self.raw.describe_secret(SecretId=ref.path)["VersionIdsToStages"]
        return labels


class Listening:
    """A client that notes the calls made through it and can lag: `hidden` more reads do not find their version."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.hidden = 0
        # labels that the service would show for a version without a value, as RotateSecret makes it
        self.placeholder: dict[str, list[str]] = {}

    def __getattr__(self, verb: str) -> Any:
        def call(**asked: Any) -> Any:
            self.calls.append((verb, asked))
            if verb == "get_secret_value" and "VersionId" in asked and self.hidden:
                self.hidden -= 1
                said = {"Error": {"Code": "ResourceNotFoundException", "Message": "not found"}}
                raise ClientError(said, "GetSecretValue")  # type: ignore[arg-type]
            answer = getattr(self._client, verb)(**asked)
            if verb == "describe_secret":
                answer["VersionIdsToStages"] = {**answer.get("VersionIdsToStages", {}), **self.placeholder}
            return answer

        return call

    def count(self, verb: str) -> int:
        """How often a verb was called."""
        return len([name for name, _ in self.calls if name == verb])
