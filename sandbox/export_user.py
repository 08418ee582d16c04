"""The IAM user whose access keys rotate: an application's own, so that no program of Keyturn declares it.

In a real account it is there before its policy is; here it is made when the stack is deployed, without keys and without
rights, and left alone where it exists.
"""

from __future__ import annotations

from contextlib import closing

from botocore.exceptions import ClientError

from sandbox.aws_client import administrator
from sandbox.facts import Facts

# as the policy `exports/iam-key` names it
USER = "keyturn-exports"


def make_export_user(facts: Facts) -> None:
    """Make the user, if there is none."""
    with closing(administrator(facts, "iam")) as client:
        try:
            client.create_user(UserName=USER)
        except ClientError as exc:
            if exc.response["Error"]["Code"] != "EntityAlreadyExists":
                raise
