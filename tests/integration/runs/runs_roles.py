"""The functions' roles as AWS enforces them: clients with a role's own credentials, and what they are told.

The emulator lets the account's administrator assume any role; on AWS the roles trust Lambda alone, which the recorded
program holds. What a role may do once it is assumed is what is asked here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from runs_stack import PREFIX, Stack

ALLOWED, DENIED = "allowed", "denied"
DENIALS = ("AccessDeniedException", "AccessDenied")
ACCOUNT = "000000000000"


class Role:
    """The role of one function, assumed."""

    def __init__(self, stack: Stack, function: str) -> None:
        self._stack = stack
        arn = stack.aws("lambda").get_function_configuration(FunctionName=f"{PREFIX}-{function}")["Role"]
        found = stack.aws("sts").assume_role(RoleArn=arn, RoleSessionName="tests")["Credentials"]
        self._login = {
            "aws_access_key_id": found["AccessKeyId"],
            "aws_secret_access_key": found["SecretAccessKey"],
            "aws_session_token": found["SessionToken"],
        }

    def client(self, service: str) -> Any:
        return self._stack.aws(service, **self._login)

    def told(self, service: str, operation: str, **arguments: Any) -> str:
        """`allowed`, `denied`, or the code of another error (which comes after the permission was there)."""
        return told(lambda: getattr(self.client(service), operation)(**arguments))


def told(call: Callable[[], object]) -> str:
    """What AWS says to a call."""
    try:
        call()
    except ClientError as exc:
        code = str(exc.response["Error"]["Code"])
        return DENIED if code in DENIALS else code
    return ALLOWED
