"""The access keys of a user of IAM on their model: every call is a crash point, and IAM lists with its delay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from rotation.issuers import aws_iam_access_key_client
from rotation.value import SecretValue
from tests.model.iam_service import USER, IamService

# Longer than the first pauses of a machine's Retry, shorter than what the issuer waits.
LAG_S = 20.0


class IamRig:
    """A user that may have two keys."""

    kind = "aws-iam-access-key"
    facts: Mapping[str, str] = {"user": USER}
    # Keyturn acts as itself: nothing reads it
    authority = SecretValue.of({"unused": "unused"})
    secret_fields: tuple[str, ...] = ("secret_access_key",)

    def __init__(self) -> None:
        self.service = IamService(lambda: datetime.min.replace(tzinfo=UTC), lag_s=LAG_S)

    def tell_time(self, clock: Callable[[], datetime]) -> None:
        """IAM's clock is everybody's."""
        self.service.clock = clock

    def connect(self, patch: pytest.MonkeyPatch, passing: Callable[[str, Callable[[], Any]], Any]) -> None:
        self.service.passing = passing
        patch.setattr(aws_iam_access_key_client, "iam", lambda: self.service)
        patch.setattr(aws_iam_access_key_client, "sts", self.service.sts)

    def shown(self) -> str:
        return repr(self.service.keys)

    def hang_up(self) -> None:
        """No connection outlives its request."""

    def accepted(self) -> set[str]:
        return self.service.accepted

    def named(self, value: SecretValue) -> str:
        fields = value.unsafe_fields()
        key = self.service.keys.get(fields["access_key_id"])
        fits = key is not None and key.secret == fields["secret_access_key"]
        return fields["access_key_id"] if fits else "another secret"
