"""A store or a target that cannot be asked decides nothing: that is said, with what would, and nothing is done."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from pg8000.native import identifier
from repair_command import Command, Said
from repair_runs import sealed, unseen
from repair_subject import Subject
from repair_targets import as_authority
from runs_detour import detour

from keyturn.exits import Exit

pytestmark = pytest.mark.sandbox


def test_google_that_does_not_answer_decides_nothing(signing_key: Subject, command: Command) -> None:
    with unseen(signing_key.stack):
        _undecided(command("repair", signing_key.name, "--yes"), "undecidable")
    assert command("repair", signing_key.name).kinds == ["healthy"]


def test_vault_that_is_sealed_decides_nothing(api_token: Subject, command: Command) -> None:
    with sealed(api_token.stack):
        # the command looks at the sandbox first, and names the part that is down
        said = command("repair", api_token.name, "--yes")
        assert (said.code, said.document["reason"]) == (Exit.SANDBOX_HALF_UP, "sandbox_half_up")
        seen = api_token.stack.verb("diagnose", secret=api_token.name)
        assert (seen["diagnoses"][0]["kind"], seen["diagnoses"][0]["action"]) == ("undecidable", None)
        assert "could not be asked" in seen["diagnoses"][0]["says"]
        refused = api_token.stack.ask("mend", secret=api_token.name, digest=seen["digest"], reason="a test")
        assert refused["reason"] == "undecidable"
    assert command("repair", api_token.name).kinds == ["healthy"]


def test_a_database_that_takes_no_connection_decides_nothing(postgres: Subject, command: Command) -> None:
    before = postgres.live
    role = identifier(_user(before.text))
    with closing(as_authority(postgres.stack)) as session:
        session.run(f"ALTER ROLE {role} CONNECTION LIMIT 0")
        try:
            _undecided(command("repair", postgres.name, "--yes"), "current_not_accepted")
        finally:
            session.run(f"ALTER ROLE {role} CONNECTION LIMIT -1")
    assert postgres.live == before
    assert command("repair", postgres.name).kinds == ["healthy"]


def test_a_verifier_that_answers_nothing_of_use_decides_nothing(signing_key: Subject, command: Command) -> None:
    before = signing_key.live
    url = signing_key.stack.facts.verifier_url
    with detour(signing_key.stack, signing_key.name, url, "/verify", (400, {"error": "busy"})) as gate:
        gate.opened.set()
        _undecided(command("repair", signing_key.name, "--yes"), "current_not_accepted")
    assert signing_key.live == before
    assert command("repair", signing_key.name).kinds == ["healthy"]


def test_one_that_cannot_be_decided_keeps_no_other_from_being_mended(
    signing_key: Subject, postgres: Subject, command: Command
) -> None:
    postgres.store.leave_pending(postgres.stranger())
    with unseen(signing_key.stack):
        said = command("repair", "--all", "--yes")
    ended = {case["secret"]: case["ended"] for case in said.document["secrets"]}
    assert said.code == Exit.UNDECIDABLE
    assert (ended[signing_key.name], ended[postgres.name]) == ("undecidable", "mended")
    postgres.check_current()


def _undecided(said: Said, kind: str) -> None:
    assert (said.code, said.kinds[0]) == (Exit.UNDECIDABLE, kind), said.told
    assert "keyturn doctor" in said.found[0]["ask"]
    (case,) = said.document["secrets"]
    assert case["rounds"] == []


def _user(text: str) -> str:

    return str(json.loads(text)["username"])
