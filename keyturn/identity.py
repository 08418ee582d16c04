"""Who this command is to AWS: account and ARN of the credentials it was given."""

from __future__ import annotations

from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from keyturn.cloud import client, translated
from keyturn.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Caller:
    """GetCallerIdentity: an account id of 12 digits, and the ARN of the user or role."""

    account: str
    arn: str


def caller(stack: Stack) -> Caller:
    """Ask AWS; raises Denied `no_credentials`, and as every call."""
    try:
        said = client(stack, "sts").get_caller_identity()
    except (ClientError, BotoCoreError) as exc:
        raise translated(exc, stack) from exc
    return Caller(account=str(said["Account"]), arn=str(said["Arn"]))
