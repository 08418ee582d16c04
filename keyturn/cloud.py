"""Control on AWS or its emulator: verbs through the endpoint, executions read from Step Functions.

Clients and the translation of their exceptions are the runtime's. A start is sent once: one that is in doubt is seen in
`history`, not repeated blindly. Not here: the request itself (`endpoint`).
"""

from __future__ import annotations

import json
import time
from functools import cache, cached_property
from threading import Lock
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from keyturn.answers import Execution
from keyturn.endpoint import Endpoint, find
from keyturn.stack import Stack
from rotation import aws_client
from rotation.calls import CONNECT_TIMEOUT_S, Caller, Kind, Meter, NullBreaker
from rotation.errors import Denied, KeyturnError, NotFound, Unavailable
from rotation.routes import READ, Route

# The emulator's own, for any account.
_SANDBOX_KEY = "test"
# A read of Step Functions or of a list; far above what either takes.
_READ_TIMEOUT_S = 20
_VENDORS = (ClientError, BotoCoreError)
# Reads only: throttled and unanswered calls are repeated by the client.
_ATTEMPTS = 3
# Enough of the end of an execution's history to hold its last error: undoing comes after it.
_LAST_EVENTS = 50
# A message of an error is shown in one line of a terminal or two.
_TROUBLE_CHARS = 240
# A session makes one client at a time; the clients may be used side by side.
_MAKING = Lock()


def session(stack: Stack) -> boto3.Session:
    """A session in the stack's region: the emulator's keys on `local`, the default chain elsewhere."""
    return _emulated(stack.region) if stack.local else boto3.Session(region_name=stack.region)


@cache
def _emulated(region: str) -> boto3.Session:
    """One for all clients: another would read the services' models anew, forty times what making a client takes."""
    return boto3.Session(_SANDBOX_KEY, _SANDBOX_KEY, region_name=region)


def client(stack: Stack, service: str, attempts: int = _ATTEMPTS) -> Any:
    """A client of `service` for the stack."""
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=_READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    # the names of services are not literals here, so the stubs cannot help
    made: Any = session(stack).client
    with _MAKING:
        return made(service, endpoint_url=stack.endpoint or None, config=config)


class EndpointControl:
    """A `ControlPort`. Safe to share between threads, as boto3's clients are."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._states = client(stack, "stepfunctions")
        self._caller = Caller(
            "endpoint",
            translate=lambda exc: translated(exc, stack) if isinstance(exc, _VENDORS) else None,
            meter=Meter(),
            breaker=NullBreaker(),
            sleep=time.sleep,
        )

    def ask(self, verb: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Post; control's answer. A field `break_glass` is no field on the way: it is a route of its own."""
        body = {name: value for name, value in fields.items() if name != "break_glass"}
        route = Route(verb, break_glass=bool(fields.get("break_glass")))
        try:
            endpoint = self._endpoint
            return self._caller.call(Kind.CONTROL, lambda: endpoint.post(route, body), idempotent=verb in READ)
        except KeyturnError as exc:
            raise self._explained(exc) from exc

    @cached_property
    def _endpoint(self) -> Endpoint:
        try:
            api = find(client(self._stack, "apigatewayv2"), self._stack)
            credentials = session(self._stack).get_credentials()
        except _VENDORS as exc:
            raise _not_found(exc, self._stack) from exc
        return Endpoint(self._stack, api, credentials, ca_bundle())

    def execution(self, arn: str) -> Execution:
        """DescribeExecution, and the last error in the history."""
        try:
            described = self._states.describe_execution(executionArn=arn)
            events = self._states.get_execution_history(
                executionArn=arn, reverseOrder=True, maxResults=_LAST_EVENTS, includeExecutionData=True
            )["events"]
        except (ClientError, BotoCoreError) as exc:
            raise self._explained(translated(exc, self._stack)) from exc
        return Execution(status=described["status"], trouble=next(filter(None, map(_trouble, events)), ""))

    def _explained(self, found: KeyturnError) -> KeyturnError:
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


def _not_found(exc: ClientError | BotoCoreError, stack: Stack) -> KeyturnError:
    """The list of APIs is the first thing that a person's role may lack."""
    found = translated(exc, stack)
    if not isinstance(found, Denied) or not isinstance(exc, ClientError):
        return found
    needed = f"apigateway:GET on arn:aws:apigateway:{stack.region}::/apis"
    return Denied(found.reason, found.message, f"finding the endpoint takes {needed} (docs/command.md)")


def ca_bundle() -> str | None:
    """The certificates that the AWS tools were told to trust (AWS_CA_BUNDLE, `ca_bundle` of the profile)."""
    configured: str | None = botocore.session.Session().get_config_variable("ca_bundle")
    return configured


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
