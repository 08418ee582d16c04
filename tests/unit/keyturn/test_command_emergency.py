"""`keyturn emergency`: one scope, a reason, a question, and every page of a large stack."""

from __future__ import annotations

import json
from typing import Any

import pytest
from control_model import ModelControl, Secret

from keyturn import connect
from keyturn.app import main
from keyturn.control import Control
from keyturn.exits import Exit


class Port:
    """Control's answers, two names to a page."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.switch: dict[str, Any] = {}

    def ask(self, verb: str, fields: dict[str, Any]) -> dict[str, Any]:
        if verb == "switch":
            return BROKEN if self.switch is BROKEN else {"ok": True, "result": self.switch}
        assert verb == "emergency"
        self.asked.append(fields)
        first = "after" not in fields["scope"]
        page = {"asked": ["a", "b"] if first else ["c"], "already": [], "next": "b" if first else ""}
        page["not_ours"] = [] if first else ["n"]
        return {"ok": True, "result": page}


BROKEN = {"ok": False, "reason": "aws_unavailable", "message": "the ledger does not answer", "remedy": "later"}
FREEZE = {"until": "2999-01-01T00:00:00Z", "actor": "arn:alice", "reason": "the quarter closes"}


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Port:
    made = Port()
    monkeypatch.setattr(connect, "control_of", lambda *_, **__: Control(made))  # type: ignore[arg-type]
    return made


def test_all_pages_of_a_large_stack_are_asked_for(port: Port, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emergency", "--all", "--reason", "stolen", "--yes", "--json"]) == Exit.DONE
    assert [one["scope"] for one in port.asked] == [{"all": True}, {"all": True, "after": "b"}]
    assert {one["reason"] for one in port.asked} == {"stolen"}
    assert json.loads(capsys.readouterr().out)["asked"] == ["a", "b", "c"]


def test_what_aws_rotates_by_itself_is_named_with_what_to_do(port: Port, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emergency", "--all", "--reason", "stolen", "--yes", "--json"]) == Exit.DONE
    told = capsys.readouterr()
    assert json.loads(told.out)["not_ours"] == ["n"]
    assert "AWS's own schedule rotates them: n" in told.err
    assert "aws secretsmanager rotate-secret" in told.err


@pytest.mark.parametrize(
    "said",
    [["--yes"], ["a/one", "--all", "--yes"], ["--group", "g", "--all", "--yes"], ["a/one", "--group", "g", "--yes"]],
)
def test_a_scope_that_is_none_or_two_asks_for_nothing(port: Port, said: list[str]) -> None:
    assert main(["emergency", *said, "--reason", "stolen"]) == Exit.USAGE
    assert port.asked == []


def test_a_group_passes_a_freeze_only_when_that_is_said(port: Port) -> None:
    main(["emergency", "--group", "g", "--reason", "stolen", "--yes", "--break-glass"])
    assert port.asked[0]["break_glass"] is True


@pytest.mark.parametrize(
    ("switch", "words"),
    [
        ({"engaged": True, "actor": "arn:alice", "reason": "the database is down"}, "the database is down"),
        ({"report_only": True, "actor": "arn:alice", "reason": "trying"}, "the stack only reports"),
        ({"freezes": [{**FREEZE, "secret": "c"}]}, "c is frozen until"),
    ],
)
def test_what_keeps_it_from_starting_is_named_at_once(
    port: Port, capsys: pytest.CaptureFixture[str], switch: dict[str, Any], words: str
) -> None:
    port.switch = switch
    assert main(["emergency", "--all", "--reason", "stolen", "--yes", "--json"]) == Exit.DONE
    told = capsys.readouterr()
    assert words in told.err
    assert "but for what is stopped" in told.err
    assert len(json.loads(told.out)["in_the_way"]) == 1


def test_what_is_frozen_and_was_not_asked_for_or_is_passed_is_not_in_the_way(
    port: Port, capsys: pytest.CaptureFixture[str]
) -> None:
    port.switch = {"freezes": [{**FREEZE, "secret": "c"}, {**FREEZE, "secret": "elsewhere"}]}
    glass = ["emergency", "--all", "--reason", "stolen", "--yes", "--json", "--break-glass"]
    assert main(glass) == Exit.DONE
    assert json.loads(capsys.readouterr().out)["in_the_way"] == []
    assert main(glass[:-1]) == Exit.DONE
    assert [one["secret"] for one in json.loads(capsys.readouterr().out)["in_the_way"]] == ["c"]


def test_it_is_asked_for_also_where_nobody_can_say_what_stops_it(
    port: Port, capsys: pytest.CaptureFixture[str]
) -> None:
    port.switch = BROKEN
    assert main(["emergency", "--all", "--reason", "stolen", "--yes", "--json"]) == Exit.DONE
    assert "what stops runs is not known" in capsys.readouterr().err


def test_status_says_that_an_emergency_is_not_done_who_asked_and_how_it_failed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"asked_at": "2026-01-02T03:04:05Z", "requested_by": "arn:alice", "reason": "stolen laptop"}
    model = ModelControl(Secret("a/one", current="v1"), Secret("a/two", current="v1"))
    standing = model._standing

    def standings(secret: Secret) -> dict[str, Any]:
        waits = {**asked, "failures": 2, "cause": "target_denied"} if secret.name == "a/one" else None
        return {**standing(secret), "emergency": waits}

    monkeypatch.setattr(model, "_standing", standings)
    monkeypatch.setattr(connect, "control_of", lambda *_, **__: Control(model))
    assert main(["status"]) == Exit.DONE
    told = " ".join(capsys.readouterr().out.split())
    assert told.count("emergency rotation not done yet") == 1
    assert "asked for at 2026-01-02 03:04:05Z by arn:alice: stolen laptop; failed 2x, last: target_denied" in told
    assert main(["status", "a/one", "--json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out)["secrets"][0]["emergency"]["failures"] == 2
