"""Between API Gateway and the verbs: from an HTTP event to (verb, fields, actor), and from an answer to a response.

The event is payload format 2.0 of an HTTP API (API Gateway developer guide, "AWS Lambda proxy integrations"). The actor
is who IAM verified, `requestContext.authorizer.iam.userArn`: of a role it ends in the session's name. Nothing that the
caller wrote can name one, and an event without that context is refused, so that invoking the function directly is no
way past the endpoint for who may only invoke. Who could forge the context too needs `lambda:InvokeFunction`, which no
person is given (`docs/command.md`).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rotation.errors import Denied, KeyturnError, Refused, Throttled, Unavailable
from rotation.routes import ROUTES

# Fields that only this module sets: what a body says under these names is dropped.
_OURS = frozenset({"actor", "break_glass", "phase", "requested_by", "verb"})

# RFC 9110; which one is for logs and alarms of the gateway, the body says the rest.
OK, BAD_REQUEST, FORBIDDEN, NOT_FOUND, CONFLICT, TOO_MANY, UNAVAILABLE = 200, 400, 403, 404, 409, 429, 503
_BY_REASON = {
    "bad_event": BAD_REQUEST,
    "bad_request": BAD_REQUEST,
    "unknown_verb": BAD_REQUEST,
    "bad_instance": BAD_REQUEST,
    "bad_lease": BAD_REQUEST,
    "not_this_consumer": FORBIDDEN,
    "unknown_consumer": NOT_FOUND,
    "unknown_secret": NOT_FOUND,
    "run_unknown": NOT_FOUND,
    "approval_unknown": NOT_FOUND,
    "not_an_approver": FORBIDDEN,
    "requester_cannot_approve": FORBIDDEN,
    "unauthenticated": FORBIDDEN,
}
_HEADERS = {"content-type": "application/json", "cache-control": "no-store"}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a caller asks for. `fields`: of the body, with `requested_by`, and `break_glass` where the route says so."""

    verb: str
    fields: Mapping[str, Any]
    actor: str


def read(event: Mapping[str, Any]) -> Request:
    """Read an HTTP event.

    Raises:
        Denied: `unauthenticated`, without a caller that IAM verified.
        Refused: `unknown_verb` for a route that this version does not serve; `bad_request` for a body that is no JSON
            object.
    """
    actor = _actor(event)
    route = ROUTES.get(str(event.get("routeKey")))
    if route is None:
        raise Refused("unknown_verb", "the endpoint leads to nothing that this version knows", "deploy again")
    fields = {name: value for name, value in _body(event).items() if name not in _OURS}
    fields["requested_by"] = actor
    if route.break_glass:
        fields["break_glass"] = True
    return Request(verb=route.verb, fields=fields, actor=actor)


def answered(result: Any) -> dict[str, Any]:
    """The response to a verb that was done."""
    return _response(OK, {"ok": True, "result": result})


def refused(exc: KeyturnError) -> dict[str, Any]:
    """The response to a verb that was not: `{ok: false, reason, message, remedy}`."""
    said = {"ok": False, "reason": exc.reason, "message": exc.message, "remedy": exc.remedy}
    return _response(_status(exc), said)


def _actor(event: Mapping[str, Any]) -> str:
    found: Any = event
    for name in ("requestContext", "authorizer", "iam", "userArn"):
        found = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, str) or not found.startswith("arn:"):
        raise Denied(
            "unauthenticated",
            "nobody who IAM knows asks for this",
            "ask through the endpoint, with a signed request: `keyturn` does",
        )
    return found


def _body(event: Mapping[str, Any]) -> Mapping[str, Any]:
    text = event.get("body") or "{}"
    try:
        found = json.loads(base64.b64decode(text, validate=True) if event.get("isBase64Encoded") is True else text)
    except (ValueError, TypeError, RecursionError, binascii.Error):
        found = None
    if not isinstance(found, Mapping):
        # the parser's message quotes what it was given
        raise Refused("bad_request", "the body has to be a JSON object", "send the verb's fields as one JSON object")
    return found


def _status(exc: KeyturnError) -> int:
    if exc.reason in _BY_REASON:
        return _BY_REASON[exc.reason]
    if isinstance(exc, Throttled):
        return TOO_MANY
    return UNAVAILABLE if isinstance(exc, Unavailable) else CONFLICT


def _response(status: int, answer: Mapping[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "headers": _HEADERS, "body": json.dumps(answer), "isBase64Encoded": False}
