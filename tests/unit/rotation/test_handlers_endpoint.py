"""From an HTTP event to a verb, its fields and who asks, and back: nothing that a caller writes can name an actor."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest
from http_events import SESSION, USER, http_event

from rotation.handlers import endpoint
from rotation.errors import Conflict, Denied, Halted, KeyturnError, NotFound, Refused, Throttled, Unavailable
from rotation.routes import APPROVE, BREAK_GLASS, CONSUME, EMERGENCY, METHOD, OPERATE, READ, ROUTES

FORGED = "arn:aws:iam::111122223333:user/somebody-else"


@pytest.mark.parametrize("actor", [USER, SESSION])
def test_the_actor_is_the_caller_who_iam_verified(actor: str) -> None:
    request = endpoint.read(http_event("rotate", caller=actor, secret="a/b", reason="leak"))
    assert (request.verb, request.actor) == ("rotate", actor)
    assert request.fields == {"secret": "a/b", "reason": "leak", "requested_by": actor}


@pytest.mark.parametrize("name", ["requested_by", "actor"])
def test_a_body_that_names_an_actor_changes_nothing(name: str) -> None:
    honest = endpoint.read(http_event("rotate", secret="a/b"))
    assert endpoint.read(http_event("rotate", secret="a/b", **{name: FORGED})) == honest


@pytest.mark.parametrize("name", ["verb", "phase"])
def test_a_body_cannot_ask_for_another_verb_or_a_phase(name: str) -> None:
    event = http_event("status", secrets=[])
    event["body"] = json.dumps({"secrets": [], name: "engage"})
    assert endpoint.read(event) == endpoint.read(http_event("status", secrets=[]))


@pytest.mark.parametrize("verb", BREAK_GLASS)
def test_only_its_route_breaks_the_glass(verb: str) -> None:
    event = http_event(verb, secret="a/b")
    event["body"] = json.dumps({"secret": "a/b", "break_glass": True})
    assert "break_glass" not in endpoint.read(event).fields
    assert endpoint.read(http_event(verb, break_glass=True, secret="a/b")).fields["break_glass"] is True


def _without(*path: str) -> dict[str, Any]:
    event = copy.deepcopy(http_event("rotate", secret="a/b"))
    found = event
    for name in path[:-1]:
        found = found[name]
    del found[path[-1]]
    return event


def _with_caller(arn: object) -> dict[str, Any]:
    event = http_event("rotate", secret="a/b")
    event["requestContext"]["authorizer"]["iam"]["userArn"] = arn
    return event


@pytest.mark.parametrize(
    "event",
    [
        {"verb": "rotate", "secret": "a/b", "reason": "r", "requested_by": FORGED},
        {"verb": "rotate", "actor": FORGED, "userArn": FORGED},
        _without("requestContext"),
        _without("requestContext", "authorizer"),
        _without("requestContext", "authorizer", "iam"),
        _without("requestContext", "authorizer", "iam", "userArn"),
        _with_caller(None),
        _with_caller(""),
        _with_caller({"arn": FORGED}),
        _with_caller("somebody"),
        {**http_event("rotate"), "requestContext": "arn:aws:iam::111122223333:user/alice"},
        {**http_event("rotate"), "requestContext": {"authorizer": {"jwt": {"claims": {"sub": FORGED}}}}},
    ],
)
def test_an_event_without_a_verified_caller_is_unauthenticated(event: dict[str, Any]) -> None:
    with pytest.raises(Denied) as caught:
        endpoint.read(event)
    assert caught.value.reason == "unauthenticated"
    assert caught.value.remedy


def test_a_body_may_come_encoded_or_not_at_all() -> None:
    event = http_event("rotate", secret="a/b")
    encoded = {**event, "body": base64.b64encode(event["body"].encode()).decode(), "isBase64Encoded": True}
    assert endpoint.read(encoded) == endpoint.read(event)
    event = http_event("switch")
    del event["body"]
    assert endpoint.read(event).fields == {"requested_by": USER}


@pytest.mark.parametrize("body", ["{", "[]", '"status"', "null", "7", "[" * 100_000, "\udcff", 7])
def test_a_body_that_is_no_object_is_a_bad_request_that_quotes_nothing(body: Any) -> None:
    with pytest.raises(Refused) as caught:
        endpoint.read({**http_event("status"), "body": body})
    assert caught.value.reason == "bad_request"
    assert str(body) not in caught.value.message


def test_a_body_that_says_it_is_encoded_and_is_not_is_a_bad_request() -> None:
    with pytest.raises(Refused, match="JSON object"):
        endpoint.read({**http_event("status"), "body": "{}", "isBase64Encoded": True})


@pytest.mark.parametrize("key", ["POST /verbs/paint", "GET /verbs/status", "$default", None])
def test_a_route_that_this_version_does_not_serve_is_an_unknown_verb(key: str | None) -> None:
    with pytest.raises(Refused) as caught:
        endpoint.read({**http_event("status"), "routeKey": key})
    assert caught.value.reason == "unknown_verb"


def test_every_verb_has_one_kind_and_a_route_and_three_have_a_second_one() -> None:
    verbs = [*READ, *OPERATE, *APPROVE, *CONSUME, *EMERGENCY]
    assert len(verbs) == len(set(verbs))
    assert {route.verb for route in ROUTES.values() if not route.break_glass} == set(verbs)
    assert {route.verb for route in ROUTES.values() if route.break_glass} == set(BREAK_GLASS) <= {*OPERATE, *EMERGENCY}
    assert all(key == f"{METHOD} {route.path}" == route.key for key, route in ROUTES.items())


def test_a_result_is_answered_as_json_that_nobody_keeps() -> None:
    answer = endpoint.answered([{"secret": "a/b"}])
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"ok": True, "result": [{"secret": "a/b"}]})
    assert answer["headers"] == {"content-type": "application/json", "cache-control": "no-store"}


@pytest.mark.parametrize(
    ("exc", "status"),
    [
        (Refused("bad_request", "m"), 400),
        (Refused("bad_event", "m"), 400),
        (Refused("unknown_verb", "m"), 400),
        (Denied("unauthenticated", "m"), 403),
        (Refused("unknown_secret", "m"), 404),
        (NotFound("run_unknown", "m"), 404),
        (Refused("no_open_overlap", "m"), 409),
        (Conflict("claim_held", "m"), 409),
        (Halted("kill_switch", "m"), 409),
        (Throttled("aws_throttled", "m"), 429),
        (Unavailable("aws_unreachable", "m"), 503),
    ],
)
def test_a_refusal_says_reason_message_and_remedy_under_a_status_of_its_kind(exc: KeyturnError, status: int) -> None:
    exc.remedy = "do that"
    answer = endpoint.refused(exc)
    assert answer["statusCode"] == status
    said = {"ok": False, "reason": exc.reason, "message": "m", "remedy": "do that"}
    assert json.loads(answer["body"]) == said
