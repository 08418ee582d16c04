"""Readers never see a candidate: until promotion they get the old version, from it on the new one, and nothing else.

Looks were taken all through the second rotation. Each is judged by the ledger's times of the same machine's clock: an
answer that had ended before the intent to promote was written has to be the old one.
"""

from __future__ import annotations

import json
from datetime import datetime
from itertools import pairwise

import pytest
from runs_credentials import ALL, POSTGRES, Credential
from runs_life import Life, Look
from runs_messages import messages
from runs_stack import PREFIX, Stack, until

pytestmark = pytest.mark.sandbox

each = pytest.mark.parametrize("credential", ALL, ids=lambda credential: credential.name)


@each
def test_readers_get_the_old_version_while_the_candidate_is_staged_applied_and_tested(
    credential: Credential, lives: dict[str, Life]
) -> None:
    life = lives[credential.name]
    waiting = _between(life, "stage", "outcome_at", "promote", "intent_at")
    assert len(waiting) > 3, "nobody looked while the candidate waited"
    assert {(look.live.version, look.live.text == life.old.text) for look in waiting} == {(life.old.version, True)}


@each
def test_a_reader_sees_one_change_from_old_to_new_and_not_before_promotion(
    credential: Credential, lives: dict[str, Life]
) -> None:
    life = lives[credential.name]
    promoting = datetime.fromisoformat(life.second.step("promote")["intent_at"])
    assert all(look.ended >= promoting for look in life.looks if look.live != life.old)
    seen = [look.live.version for look in life.looks]
    changes = [seen[0], *(new for old, new in pairwise(seen) if old != new)]
    assert changes == [life.old.version, life.new.version]


@each
def test_the_ledgers_number_stays_the_old_one_until_promotion(credential: Credential, lives: dict[str, Life]) -> None:
    life = lives[credential.name]
    waiting = _between(life, "stage", "outcome_at", "promote", "intent_at")
    assert {look.ledger_current for look in waiting} == {life.old.version}
    assert life.looks[-1].ledger_current == life.new.version


def test_a_moved_label_is_told_to_the_signals_queue(stack: Stack, lives: dict[str, Life]) -> None:
    moved = {life.version for life in (lives[POSTGRES.name].old, lives[POSTGRES.name].new)}

    def told() -> list[dict[str, object]] | None:
        events = [json.loads(body) for body in messages(stack)[f"{PREFIX}-signals"]]
        details = [e["detail"] for e in events if e["detail-type"] == "Secret Label Updated"]
        ours = [d for d in details if d["name"] == POSTGRES.name and d["labelUpdated"] == "AWSCURRENT"]
        return ours if moved <= {d["versionId"] for d in ours} else None

    assert until(told, "the label's move in the signals queue")


def _between(life: Life, first: str, began: str, last: str, ended: str) -> list[Look]:
    """Looks that lie wholly between two moments of the second rotation."""
    opens = datetime.fromisoformat(life.second.step(first)[began])
    closes = datetime.fromisoformat(life.second.step(last)[ended])
    return [look for look in life.looks if opens <= look.began and look.ended <= closes]
