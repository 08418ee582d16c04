"""The control function on AWS or its emulator: invoked through Lambda's alias, executions read from Step Functions.

The only module of the command that talks to AWS for the verbs. Clients and the translation of their exceptions are
the runtime's. A start is sent once: one that is in doubt is seen in `history`, not repeated blindly.
"""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from keyturn.answers import Execution
from keyturn.control import READS
from keyturn.stack import LIVE, Stack
from rotation import aws_client
from rotation.calls import CONNECT_TIMEOUT_S
from rotation.errors import Denied, KeyturnError, NotFound, Refused, Unavailable

# The emulator's own, for any account.
_SANDBOX_KEY = "test"
# The control function's own timeout, and time for the answer.
_READ_TIMEOUT_S = 65
# Reads only: throttled and unanswered calls are repeated by the client.
_ATTEMPTS = 3
# Enough of the end of an execution's history to hold its last error: undoing comes after it.
_LAST_EVENTS = 50
# A message of an error is shown in one line of a terminal or two.
_TROUBLE_CHARS = 240


def session(stack: Stack) -> boto3.Session:
    """A session in the stack's region: the emulator's keys on `local`, the default chain elsewhere."""
    if stack.local:
        return boto3.Session(_SANDBOX_KEY, _SANDBOX_KEY, region_name=stack.region)
    return boto3.Session(region_name=stack.region)


def client(stack: Stack, service: str, attempts: int = _ATTEMPTS) -> Any:
    """A client of `service` for the stack."""
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=_READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    # the names of services are not literals here, so the stubs cannot help
    made: Any = session(stack).client
    return made(service, endpoint_url=stack.endpoint or None, config=config)


class LambdaControl:
    """A `ControlPort`. Safe to share between threads, as boto3's clients are."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._once = client(stack, "lambda", attempts=1)
        self._repeating = client(stack, "lambda")
        self._states = client(stack, "stepfunctions")

    def ask(self, verb: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Invoke; the payload of the answer."""
        try:
            functions = self._repeating if verb in READS else self._once
            answer = functions.invoke(
                FunctionName=self._stack.function("control"),
                Qualifier=LIVE,
                Payload=json.dumps({"verb": verb, **fields}).encode(),
            )
            payload = json.loads(answer["Payload"].read())
        except (ClientError, BotoCoreError) as exc:
            raise self._translated(exc) from exc
        if "FunctionError" in answer:
            raise _broke(payload)
        if not isinstance(payload, dict):
            raise Refused("answer_not_understood", "the control function did not answer a verb", "deploy again")
        return payload

    def execution(self, arn: str) -> Execution:
        """DescribeExecution, and the last error in the history."""
        try:
            described = self._states.describe_execution(executionArn=arn)
            events = self._states.get_execution_history(
                executionArn=arn, reverseOrder=True, maxResults=_LAST_EVENTS, includeExecutionData=True
            )["events"]
        except (ClientError, BotoCoreError) as exc:
            raise self._translated(exc) from exc
        return Execution(status=described["status"], trouble=next(filter(None, map(_trouble, events)), ""))

    def _translated(self, exc: ClientError | BotoCoreError) -> KeyturnError:
        found = translated(exc, self._stack)
        if not self._stack.local:
            return found
        from keyturn.sandbox_health import explained  # noqa: PLC0415  # the sandbox's parts, only when one is missing

        return explained(found)


def translated(exc: ClientError | BotoCoreError, stack: Stack) -> KeyturnError:
    """Ours for a vendor exception, with what to do about it from here."""
    if isinstance(exc, NoCredentialsError):
        remedy = "sign in with the AWS tools, or set AWS_PROFILE"
        return Denied("no_credentials", f"no AWS credentials for the stack {stack.name} were found", remedy)
    found = aws_client.translate(exc)
    if isinstance(found, NotFound):
        return NotFound(
            "stack_not_deployed",
            f"nothing is deployed to the stack {stack.name} ({found.message})",
            "`keyturn sandbox up --again` applies the program" if stack.local else "deploy it with `pulumi up`",
        )
    return found or Unavailable("aws_unreachable", f"AWS did not answer ({type(exc).__name__})")


def _broke(payload: Any) -> KeyturnError:
    """The control function raised: the class of its error is known, its message says no value."""
    said = payload if isinstance(payload, dict) else {}
    kind, message = str(said.get("errorType", "")), str(said.get("errorMessage", ""))
    return Unavailable(
        "control_unavailable",
        f"the control function failed: {_one_line(f'{kind}: {message}')}",
        "`keyturn doctor` looks at each part of the stack",
    )


def _trouble(event: dict[str, Any]) -> str:
    """The error in one event of a history, empty for events without one.

    The machine's own end repeats the slug that it was given; what a task died of says more.
    """
    if str(event.get("type", "")).startswith("Execution"):
        return ""
    details: Any = next((value for key, value in event.items() if key.endswith("EventDetails")), {})
    if not isinstance(details, dict) or not details.get("error"):
        return ""
    return _one_line(_cause(str(details.get("cause", ""))) or str(details["error"]))


def _cause(text: str) -> str:
    """Lambda's cause is a JSON document with the message; a machine's own is text."""
    try:
        loaded = json.loads(text)
    except ValueError:
        return text
    return str(loaded.get("errorMessage", "")) if isinstance(loaded, dict) else text


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_TROUBLE_CHARS]
