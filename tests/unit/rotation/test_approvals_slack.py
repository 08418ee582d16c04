"""What Slack is told of a run that waits: the whole case and no token; sent once, to Slack's host, never in the way."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from rotation.calls import ATTEMPTS, Caller, Meter, NullBreaker
from rotation.control.policy_changes import changes
from rotation.control.slack import SlackWebhook, message, translate
from rotation.errors import Denied
from rotation.ledger.approvals import Approved, Request
from rotation.value import SecretValue
from tests.model.world import POLICY

REQUEST = Request(
    run_id="3f2a8c1d9e7b4f60a1c2d3e4f5061728",
    secret="payments/postgres",
    digest="a" * 64,
    approvers=("lead", "duty"),
    requested_by="arn:aws:iam::000000000000:user/alice",
    reason="left the company",
    requested_at="2026-01-02T03:04:05.000000Z",
    expires_at="2026-01-02T04:04:05.000000Z",
    token="the token of the task",
)
LAST = Approved(run_id="earlier", digest="b" * 64, by="arn:aws:iam::000000000000:user/bob", at="2025-12-01T00:00:00Z")


class Receiver(BaseHTTPRequestHandler):
    """Keeps what is posted; answers 200, or what the test says."""

    said: list[tuple[str, object]]
    # of the answers to come; after them 200
    statuses: list[int]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).said.append((self.path, json.loads(body)))
        self.send_response(type(self).statuses.pop(0) if type(self).statuses else 200)
        self.send_header("Retry-After", "7")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Not into the test's output."""


@pytest.fixture
def receiver() -> Iterator[tuple[str, type[Receiver]]]:
    kind = type("OneReceiver", (Receiver,), {"said": [], "statuses": []})
    with HTTPServer(("127.0.0.1", 0), kind) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/services/T0/B0/marker", kind
        server.shutdown()
        thread.join()


class Slack:
    """The webhook at an address, and the pauses that its calls made."""

    def __init__(self, url: str, *, local: bool = True) -> None:
        self.paused: list[float] = []
        caller = Caller("slack", translate=translate, meter=Meter(), breaker=NullBreaker(), sleep=self.paused.append)
        self.webhook = SlackWebhook(lambda: SecretValue(url), caller, local=local)


def test_the_message_says_who_what_why_until_when_and_the_commands_and_no_token() -> None:
    said = message(REQUEST, LAST, "prod")
    for part in (
        REQUEST.secret,
        REQUEST.requested_by,
        REQUEST.reason,
        REQUEST.expires_at,
        "lead, duty",
        "aaaaaaaaaaaa",
        "bbbbbbbbbbbb",
        "`keyturn approvals --stack prod`",
        f"`keyturn approvals approve {REQUEST.run_id} --reason WHY --stack prod`",
        f"`keyturn approvals deny {REQUEST.run_id} --reason WHY --stack prod`",
    ):
        assert part in said
    assert REQUEST.token not in said


def test_a_policy_that_is_new_or_unchanged_is_called_so() -> None:
    assert "none was ever approved" in message(REQUEST, None, "local")
    assert "(the same)" in message(REQUEST, replace(LAST, digest=REQUEST.digest), "local")
    assert "(the same)" not in message(REQUEST, LAST, "local")


def test_a_reason_can_neither_call_everybody_nor_add_a_line_or_a_link() -> None:
    forged = replace(REQUEST, reason="<!channel> ok\nyes: `rm` <https://evil.example|approve here>" + "x" * 5_000)
    said = message(forged, None, "local")
    assert "<" not in said
    assert "&lt;!channel&gt; ok yes: 'rm'" in said
    assert len(said.splitlines()) == len(message(REQUEST, None, "local").splitlines())
    assert len(said) < 2_000


def test_a_message_is_posted_once_as_slack_wants_it(receiver: tuple[str, type[Receiver]]) -> None:
    url, kind = receiver
    assert Slack(url).webhook.say("one & only")
    assert kind.said == [("/services/T0/B0/marker", {"text": "one & only"})]


@pytest.mark.parametrize(("status", "reason"), [(410, "slack_refused"), (500, "slack_failed"), (302, "slack_refused")])
def test_a_message_that_is_refused_or_may_have_been_taken_is_not_sent_again(
    receiver: tuple[str, type[Receiver]], status: int, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    url, kind = receiver
    kind.statuses[:] = [status]
    assert not Slack(url).webhook.say("text")
    assert len(kind.said) == 1
    assert caplog.records[0].__dict__["fields"]["reason"] == reason


def test_where_slack_asks_to_slow_down_it_is_sent_again_after_the_pause_that_it_names(
    receiver: tuple[str, type[Receiver]],
) -> None:
    url, kind = receiver
    kind.statuses[:] = [429]
    slack = Slack(url)
    assert slack.webhook.say("text")
    assert (len(kind.said), slack.paused) == (2, [7.0])


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com.evil.example/services/marker",
        "https://user@hooks.slack.com/services/marker",
        "https://hooks.slack.com:8443/services/marker",
        "http://hooks.slack.com/services/marker",
        "http://127.0.0.1:1/marker",
        "file:///etc/marker",
        "https://[marker",
        "",
    ],
)
def test_nothing_is_sent_to_another_host_and_no_log_quotes_it(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="keyturn"):
        assert not Slack(url, local=False).webhook.say("text")
    (record,) = caplog.records
    assert record.__dict__["fields"]["reason"] == "bad_webhook"
    assert "marker" not in str(record.__dict__)


def test_a_webhook_that_cannot_be_fetched_holds_up_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def denied() -> SecretValue:
        raise Denied("aws_denied", "AWS answered AccessDenied")

    caller = Caller("slack", translate=translate, meter=Meter(), breaker=NullBreaker(), sleep=lambda _: None)
    with caplog.at_level(logging.ERROR, logger="keyturn"):
        assert not SlackWebhook(denied, caller).say("text")
    assert caplog.records[0].__dict__["fields"]["reason"] == "aws_denied"


def test_slack_that_is_not_reached_is_tried_three_times_and_holds_up_nothing(caplog: pytest.LogCaptureFixture) -> None:
    # nothing listens on the port of the discard service
    slack = Slack("http://127.0.0.1:9/marker")
    with caplog.at_level(logging.ERROR, logger="keyturn"):
        assert not slack.webhook.say("text")
    assert len(slack.paused) == ATTEMPTS - 1
    assert caplog.records[0].__dict__["fields"]["reason"] == "slack_unreachable"
    assert "marker" not in str(caplog.records[0].__dict__)


def test_the_message_says_what_has_changed_in_the_policy_and_cuts_what_is_long() -> None:
    after = replace(POLICY, overlap_s=POLICY.overlap_s + 1, owner="x" * 500, group="g")
    said = message(REQUEST, LAST, "local", changes(POLICY.document(), after.document()))
    assert f"• overlap_s {POLICY.overlap_s} -&gt; {POLICY.overlap_s + 1}" in said
    assert "• group none -&gt; g" in said
    assert len(said) < 2_000
    readers = tuple(f"arn:aws:iam::000000000000:role/service-{i}" for i in range(9))
    before = replace(POLICY, readers=readers)
    (line,) = changes(before.document(), replace(before, readers=(*readers, "arn:aws:iam::1:role/stranger")).document())
    assert "role/stranger" in line, "what differs late in a long list is shown, not its beginning"
    assert len(line) < 2 * 80 + 40
    many = message(REQUEST, LAST, "local", [f"field{i} a -> b" for i in range(20)])
    assert "field7 a" in many
    assert "field8 a" not in many
    assert "• and 12 more" in many
