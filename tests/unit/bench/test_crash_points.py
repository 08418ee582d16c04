"""Which deaths a recording gives, what calls are named, and when a trap springs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.crash import words
from bench.crash.killing import Connection, Killer
from bench.crash.lane import Edge, Fault, Gone, Lane, Passed, Trap
from bench.crash.stories import EVERY_TRY, ROTATION, STORIES, points
from bench.crash.words import Party, Word
from sandbox.kernel import Process

HERE = Connection(peer=1, ours=2)
MARKER = "marker-of-a-value"


def ledger(name: str, kind: str, opens: str = "") -> Word:
    return Word(party=Party.LEDGER, name=name, kind=kind, opens=opens, effect=True)


CLAIM = ledger("claim", "claim", "claim")
INTENT = ledger("intent stage", "intent", "stage")
READ = Word(party=Party.STORE, name="GetSecretValue")
PUT = Word(party=Party.STORE, name="PutSecretValue", effect=True)
BOTH = ledger("outcome stage + intent test", "outcome and intent", "test")
PROBE = Word(party=Party.TARGET, name="GET whoami")
DONE = ledger("outcome test", "outcome")
END = ledger("end", "end")
RUN = (CLAIM, READ, INTENT, PUT, BOTH, PROBE, PROBE, DONE, END)


class Spared(Killer):
    """Counts instead."""

    def __init__(self) -> None:
        super().__init__(Process(0, ""))
        self.killed = 0

    def kill(self, connection: Connection) -> None:
        self.killed += 1


def walked(lane: Lane, *calls: Word) -> list[str]:
    """What reached the other side, in order."""
    reached: list[str] = []
    for word in calls:
        try:
            lane.around(word, HERE, lambda word=word: reached.append(word.name))
        except Gone:
            return reached
    return reached


def recorded() -> list[Passed]:
    lane = Lane("a/secret", Spared())
    walked(lane, *RUN)
    return lane.passed


def test_every_effect_dies_before_and_after_and_equal_moments_once() -> None:
    once = [p for p in points(ROTATION, recorded()) if p.trap.kills == 1 and not p.stopped]
    assert [f"{p.trap.edge} {p.trap.call}" for p in once] == [
        "before start: ledger claim",
        "after start: ledger claim",
        "before claim: ledger intent stage",
        "before stage: store PutSecretValue",
        "after stage: store PutSecretValue",
        "after stage: ledger outcome stage + intent test",
        "after test: target GET whoami #2",
        "after test: ledger outcome test",
        "before test: ledger end",
        "after test: ledger end",
    ]


def test_effects_outside_are_also_lost_with_every_try_and_with_the_execution() -> None:
    found = [p for p in points(ROTATION, recorded()) if p.trap.kills > 1 or p.stopped]
    assert [(p.fate, p.trap.kills, str(p.trap.call)) for p in found] == [
        ("every try killed", EVERY_TRY, "stage: store PutSecretValue"),
        ("execution stopped", 1, "stage: store PutSecretValue"),
    ]


def test_a_failing_story_dies_only_where_it_is_undone() -> None:
    failing = next(story for story in STORIES if story.name == "failing test")
    undo = (ledger("intent withdraw", "intent", "withdraw"), Word(party=Party.TARGET, name="DELETE slots", effect=True))
    lane = Lane("a/secret", Spared())
    walked(lane, *RUN[:-1], *undo, END)
    assert {p.trap.call.word.name for p in points(failing, lane.passed)} == {"intent withdraw", "DELETE slots", "end"}


@pytest.mark.parametrize(("edge", "reached"), [(Edge.BEFORE, 3), (Edge.AFTER, 4)])
def test_a_trap_springs_before_the_call_goes_on_or_after_it_was_answered(edge: Edge, reached: int) -> None:
    killer = Spared()
    lane = Lane("a/secret", killer)
    call = next(passed for passed in recorded() if passed.word == PUT)
    lane.begin(Trap(call=call, edge=edge))
    assert len(walked(lane, *RUN)) == reached
    assert (killer.killed, lane.kills, lane.dead.is_set()) == (1, 1, True)
    assert len(walked(lane, *RUN)) == len(RUN), "once is enough"


def test_a_trap_for_every_try_kills_the_first_call_of_the_following_invocations() -> None:
    killer = Spared()
    lane = Lane("a/secret", killer)
    call = next(passed for passed in recorded() if passed.word == PUT)
    lane.begin(Trap(call=call, edge=Edge.AFTER, kills=3))
    assert [len(walked(lane, *RUN)) for _ in range(4)] == [4, 0, 0, len(RUN)]
    assert killer.killed == 3


def test_a_target_is_unwell_only_in_its_step() -> None:
    lane = Lane("a/secret", Spared())
    lane.begin(None, Fault(step="test", status=401, body="{}"))
    walked(lane, CLAIM, INTENT)
    assert lane.spoilt(PROBE) is None
    walked(lane, BOTH)
    assert lane.spoilt(PROBE)
    assert lane.spoilt(READ) is None


def row(sk: str, outcome_at: str = "") -> dict[str, Any]:
    return {"Put": {"Item": {"pk": {"S": "x"}, "sk": {"S": sk}, "outcome_at": {"S": outcome_at}, "v": {"S": MARKER}}}}


@pytest.mark.parametrize(
    ("items", "name", "kind"),
    [
        ([row("head"), row("run"), row("claim")], "claim", "claim"),
        ([row("step#stage")], "intent stage", "intent"),
        ([row("step#stage", "now"), row("step#apply")], "outcome stage + intent apply", "outcome and intent"),
        ([row("step#apply", "now")], "outcome apply", "outcome"),
        ([row("head"), {"Delete": {"Key": {"pk": {"S": "x"}, "sk": {"S": "claim"}}}}], "end", "end"),
        ([row("state")], "other", "other"),
    ],
)
def test_a_write_of_the_ledger_is_named_by_what_it_means(items: list[dict[str, Any]], name: str, kind: str) -> None:
    headers = {"x-amz-target": "DynamoDB_20120810.TransactWriteItems"}
    word = words.of_aws("POST", "/", headers, json.dumps({"TransactItems": items}).encode())
    assert (word.name, word.kind, word.effect) == (name, kind, True)


@pytest.mark.parametrize(
    ("word", "name", "effect"),
    [
        (words.of_vault("POST", "/v1/keyturn/data/pending/a/b"), "POST data pending", True),
        (words.of_vault("PUT", "/v1/keyturn/destroy/pending/a/b"), "PUT destroy pending", True),
        (words.of_vault("GET", "/v1/keyturn/data/a/b?version=2"), "GET data live", False),
        (words.of_vault("POST", "/v1/auth/jwt/login"), "login", False),
        (
            words.of_google("/google.cloud.secretmanager.v1.SecretManagerService/AddSecretVersion"),
            "AddSecretVersion",
            True,
        ),
        (words.of_google("/x/AccessSecretVersion"), "AccessSecretVersion", False),
        (words.of_target("PUT", "/accounts/keyturn/slots/a"), "PUT slots", True),
        (words.of_target("POST", "/verify"), "POST verify", False),
        (words.of_statement("COMMIT"), "COMMIT", True),
        (words.of_statement("SELECT pid, pg_terminate_backend(pid, $1) FROM x"), "pg_terminate_backend", True),
    ],
)
def test_a_request_is_named_by_its_operation(word: Word, name: str, effect: bool) -> None:
    assert (word.name, word.effect) == (name, effect)


def test_no_value_gets_into_a_word() -> None:
    statement = f"ALTER ROLE a LOGIN PASSWORD '{MARKER}'"
    assert words.of_statement(statement).name == "ALTER ROLE"
    assert MARKER not in repr(words.of_vault("POST", f"/v1/keyturn/data/{MARKER}"))
    assert MARKER not in repr(words.of_target("DELETE", f"/keys/{MARKER}?generation=3"))
