"""A user of IAM for the contract of issuers whose target makes the credential: MiniStack, or the model of IAM."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from issuer_bench import MARKER, Made, caller_of

from rotation.calls import Meter
from rotation.issuers.aws_iam_access_key import AwsIamAccessKey
from rotation.minting import Attempt
from rotation.value import SecretValue

REGION = "us-east-1"
# the emulator's root key: what the function's role is on AWS
ROOT = "test"
# Longer than a test, shorter than a clock that differs.
_MINUTE = timedelta(seconds=60)
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Endpoint:
    """Clients for one address, without a second attempt."""

    url: str

    def iam(self) -> Any:
        return self._client("iam", ROOT, ROOT)

    def sts(self, key_id: str, secret: str) -> Any:
        return self._client("sts", key_id, secret)

    def _client(self, service: str, key_id: str, secret: str) -> Any:
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
        )


class IamBench:
    """One user. `clients` are the issuer's and somebody else's; `log_file` is the target's log, if it has one."""

    refusal = "InvalidClientTokenId"
    authority_text = "no authority is read"

    def __init__(self, clients: Any, user: str, log_file: Path | None = None) -> None:
        self.clients, self.user, self._log = clients, user, log_file

    @classmethod
    def with_a_new_user(cls, clients: Any, log_file: Path) -> IamBench:
        user = f"deployer-{next(_numbers)}"
        clients.iam().create_user(UserName=user)
        return cls(clients, user, log_file)

    def make(self, **facts: str) -> Made:
        return self._made(self.clients, facts)

    def nowhere(self) -> Made:
        # port 1 is privileged and unassigned here: nobody listens
        return self._made(Endpoint("http://127.0.0.1:1"), {})

    def _made(self, clients: Any, facts: dict[str, str]) -> Made:
        meter = Meter()
        return Made(
            AwsIamAccessKey(
                {"user": self.user, **facts}, _no_authority, caller_of(AwsIamAccessKey, meter), clients=clients
            ),
            meter,
        )

    def ids(self) -> set[str]:
        """The keys that there are."""
        listed = self.clients.iam().list_access_keys(UserName=self.user)["AccessKeyMetadata"]
        return {key["AccessKeyId"] for key in listed}

    def by_hand(self) -> str:
        """A key that somebody makes beside Keyturn."""
        made = self.clients.iam().create_access_key(UserName=self.user)
        return str(made["AccessKey"]["AccessKeyId"])

    def secrets_of(self, value: SecretValue) -> list[str]:
        return [value.unsafe_fields()["secret_access_key"]]

    def marked(self, value: SecretValue) -> SecretValue:
        return SecretValue.of({**value.unsafe_fields(), "secret_access_key": MARKER})

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8") if self._log else "no log"


def attempt(held: Any, *, moment: Callable[[], datetime] = lambda: datetime.now(UTC), early: bool = False) -> Attempt:
    """An attempt that is at work now; `early`: one that was over a minute before."""
    shift = -2 * _MINUTE if early else timedelta()
    since, until = moment() + shift, moment() + shift + _MINUTE
    return Attempt(held=held, since=since.isoformat(), until=until.isoformat())


def _no_authority() -> SecretValue:
    raise AssertionError("the authority is read, though the type has none")
