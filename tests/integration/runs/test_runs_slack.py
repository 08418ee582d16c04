"""Approvers are told in Slack, once: who asks for what, why, what has changed; without Slack the run waits alike."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from runs_catalogue import Policy, altered
from runs_credentials import POSTGRES
from runs_people import Gateway, session, user
from runs_slack import MARKER, Slack, slack_of
from runs_stack import PREFIX, Ended, Stack, until
from runs_surfaces import logs

pytestmark = pytest.mark.sandbox

NAME = POSTGRES.name
ROLE = "slack-lead"
REASON = "the quarter closes <!channel>"


@dataclass(frozen=True, kw_only=True)
class Played:
    """Three runs that waited: approved; with another policy, denied; denied while Slack failed.

    alone: a fourth one's entry, of a stack that names no secret. values: passwords that readers got.
    """

    asked_by: str
    first: Ended
    second: Ended
    down: dict[str, Any]
    ended: Ended
    alone: dict[str, Any]
    said: dict[str, list[str]]
    paths: set[str]
    values: list[str]
    logs: str


def _asks(policy: Policy) -> None:
    policy["approval"] = {"approvers": [ROLE], "expires_s": 3_600}


def _asks_and_overlaps(policy: Policy) -> None:
    _asks(policy)
    policy["overlap_s"] = 2


@pytest.fixture(scope="module")
def played(stack: Stack, lives: object) -> Played:
    stack.settle(NAME)
    with slack_of(stack) as slack, closing(POSTGRES.reader(stack)) as reader:
        people = People(stack, slack)
        with altered(stack, NAME, _asks):
            first = people.answered("approve", people.begun(told=True))
            values = [json.loads(reader.live().text)["password"]]
        stack.settle(NAME)
        with altered(stack, NAME, _asks_and_overlaps):
            second = people.answered("deny", people.begun(told=True))
            slack.status = 500
            down = people.begun(told=False)
            until(lambda: slack.of(down["run_id"]) or None, "the message that Slack does not take")
            ended = people.answered("deny", down)
        said = {run: slack.of(run) for run in (first.run["run_id"], second.run["run_id"], down["run_id"])}
        paths = {path for path, _ in slack.said}
    with altered(stack, NAME, _asks):
        alone = people.begun(told=False)
        people.answered("deny", alone)
    return Played(
        asked_by=first.run["requested_by"],
        first=first,
        second=second,
        down=down,
        ended=ended,
        alone=alone,
        said=said,
        paths=paths,
        values=values,
        logs="".join(text for group, text in logs(stack) if group.endswith(f"{PREFIX}-control")),
    )


class People:
    """Who asks for runs, and who answers them."""

    def __init__(self, stack: Stack, slack: Slack) -> None:
        self._stack, self._slack = stack, slack
        self._gateway, self._lead = Gateway(stack), session(stack, ROLE, "bob", "approver")
        self._operator = user(stack, "slack-operator", "operator")

    def begun(self, *, told: bool) -> dict[str, Any]:
        """A run that waits, as control lists it, once approvers were `told`; with its execution."""
        asked = self._gateway.ask(self._operator, "/verbs/rotate", secret=NAME, reason=REASON)
        started: dict[str, Any] = asked.document["result"]

        def look() -> dict[str, Any] | None:
            found = [one for one in self._stack.verb("approvals") if one["run_id"] == started["run_id"]]
            return next((one for one in found if one["told"] is told), None)

        return {**until(look, f"the run {started['run_id']} among those that wait"), **started}

    def answered(self, verb: str, run: dict[str, Any]) -> Ended:
        said = self._gateway.ask(self._lead, f"/verbs/{verb}", run_id=run["run_id"], reason="looked at it")
        assert said.status == 200, said.document
        return self._stack.ended(run)


def test_approvers_are_told_once_who_asks_for_what_and_why(played: Played) -> None:
    (said,) = played.said[played.first.run["run_id"]]
    first = played.first
    assert first.status == "SUCCEEDED", (first.run["failure"], [one["step"] for one in first.run["steps"]])
    assert played.asked_by.rpartition("/")[2] == "slack-operator"
    for part in (NAME, played.asked_by, "the quarter closes &lt;!channel&gt;", ROLE):
        assert part in said
    assert f"`keyturn approvals approve {played.first.run['run_id']} --reason WHY`" in said


def test_the_second_message_says_what_has_changed_since_the_policy_that_was_approved(played: Played) -> None:
    (said,) = played.said[played.second.run["run_id"]]
    assert "• overlap_s 3 -&gt; 2" in said
    assert played.first.run["policy_digest"][:12] in said


def test_a_slack_that_fails_is_asked_once_and_the_run_waits_and_is_answered_all_the_same(played: Played) -> None:
    assert len(played.said[played.down["run_id"]]) == 1
    assert (played.down["channel"], played.down["told"], played.down["status"]) == ("slack", False, "waiting")
    assert (played.ended.error, played.ended.cause) == ("denied", "approve")
    assert '"reason":"slack_failed"' in played.logs


def test_a_stack_that_names_no_secret_says_that_nobody_was_told(played: Played) -> None:
    assert (played.alone["channel"], played.alone["told"]) == ("", False)


def test_no_message_has_a_value_and_no_log_the_address(played: Played) -> None:
    assert played.paths == {f"/services/{MARKER}"}
    messages = "".join(text for said in played.said.values() for text in said)
    assert [value for value in played.values if value in messages] == []
    assert MARKER not in messages + played.logs
