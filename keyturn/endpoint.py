"""One signed request to a stack's endpoint, and what an answer that is not control's own means.

The API is found by its name, so that nobody has to keep an address: not in a file, and not in a state backend that an
on-call engineer may not be able to read. The signature is botocore's; its host is part of it, so that a request cannot
be replayed elsewhere. On `local` the connection goes to the emulator, which has no DNS for its APIs and tells them by
the Host header. Not here: what verbs mean (`control`), and attempts (`cloud`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import NoCredentialsError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from keyturn.stack import Stack
from rotation.calls import CONNECT_TIMEOUT_S
from rotation.errors import Denied, KeyturnError, NotFound, Refused, Throttled, Unavailable
from rotation.routes import METHOD, Route

# As IAM and SigV4 call it.
_SERVICE = "execute-api"
# API Gateway answers after 30 s at the latest; and time for the way.
_READ_TIMEOUT_S = 35
_FORBIDDEN, _NOT_FOUND, _TOO_MANY, _SERVER_FAULT = 403, 404, 429, 500


@dataclass(frozen=True, kw_only=True)
class Api:
    """An HTTP API: its id, and the address that AWS says it has."""

    id: str
    url: str


def find(gateway: Any, stack: Stack) -> Api:
    """The stack's API; `gateway` is a boto3 client of `apigatewayv2`.

    Raises:
        NotFound: `stack_not_deployed`. Refused: `endpoint_ambiguous` when two have the name.
        What botocore raises.
    """
    name = stack.function("endpoint")
    pages = gateway.get_paginator("get_apis").paginate()
    named = [one for page in pages for one in page["Items"] if one["Name"] == name]
    found = [Api(id=one["ApiId"], url=one["ApiEndpoint"]) for one in named]
    if not found:
        raise NotFound(
            "stack_not_deployed",
            f"no endpoint {name} is deployed for the stack {stack.name}",
            "`keyturn sandbox up --again` applies the program" if stack.local else "deploy it with `pulumi up`",
        )
    if len(found) > 1:
        ids = ", ".join(api.id for api in found)
        raise Refused("endpoint_ambiguous", f"{len(found)} APIs are called {name}: {ids}", "delete the foreign one")
    return found[0]


class Endpoint:
    """Posts verbs. Safe to share between threads."""

    def __init__(self, stack: Stack, api: Api, credentials: Any, ca_bundle: str | None = None) -> None:
        """`credentials`: botocore's, None when the chain found none. `ca_bundle`: as AWS_CA_BUNDLE names one."""
        self._stack = stack
        self._api = api
        self._credentials = credentials
        self._base = stack.endpoint or api.url
        # loopback: a proxy of the environment must not see the call
        proxies = {} if stack.local else get_environ_proxies(self._base)
        timeout: Any = (CONNECT_TIMEOUT_S, _READ_TIMEOUT_S)
        verify: Any = ca_bundle or True
        self._http = URLLib3Session(verify=verify, proxies=proxies, timeout=timeout)

    def post(self, route: Route, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Control's answer, `{ok, ...}`.

        Raises:
            Denied: `verb_denied`. Throttled: `endpoint_throttled`. Refused: `answer_not_understood`.
            Unavailable: `control_unavailable`, after which the effect of the verb is unknown.
            What botocore raises.
        """
        answer = self._http.send(self._signed(route, json.dumps(dict(fields)).encode()))
        payload = _document(answer.content)
        if isinstance(payload, dict) and "ok" in payload:
            return payload
        raise self._meant(route, int(answer.status_code))

    def _signed(self, route: Route, body: bytes) -> Any:
        if self._credentials is None:
            raise NoCredentialsError
        headers = {"Content-Type": "application/json", "Host": urlsplit(self._api.url).netloc}
        request = AWSRequest(method=METHOD, url=f"{self._base}{route.path}", data=body, headers=headers)
        SigV4Auth(self._credentials.get_frozen_credentials(), _SERVICE, self._stack.region).add_auth(request)
        return request.prepare()

    def _meant(self, route: Route, status: int) -> KeyturnError:
        """What the gateway says in control's place."""
        if status == _FORBIDDEN:
            return self._denied(route)
        if status == _TOO_MANY:
            return Throttled("endpoint_throttled", "the endpoint asks to slow down", "repeat it in a minute")
        if status >= _SERVER_FAULT:
            return Unavailable(
                "control_unavailable",
                f"the control function failed or was too slow (HTTP {status})",
                "`keyturn doctor` looks at each part of the stack, `keyturn history` at what was begun",
            )
        if status == _NOT_FOUND:
            said = f"the deployed endpoint has no route {route.path}"
            return Refused("answer_not_understood", said, "deploy the stack from this checkout")
        return Refused("answer_not_understood", f"the endpoint answered HTTP {status}", "deploy the stack again")

    def _denied(self, route: Route) -> Denied:
        stack = self._stack
        resource = f"arn:aws:execute-api:{stack.region}:{stack.account}:{self._api.id}/$default/{METHOD}{route.path}"
        return Denied(
            "verb_denied",
            f"AWS refuses `{route.verb}` to these credentials",
            f"they need execute-api:Invoke on {resource} (docs/command.md); or they are invalid, or have expired",
        )


def _document(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
