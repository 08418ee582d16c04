"""The target refuses Keyturn's own authority: the run fails, readers lose nothing, a repaired authority rotates again.

The authority's credential in the store is replaced by one that the target does not know, and put back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import pytest
from runs_credentials import POSTGRES
from runs_stack import Ended, Stack
from runs_stores import AwsReader, Seen
from runs_targets import ACCEPTED

pytestmark = pytest.mark.sandbox

AUTHORITY = "keyturn/authority/payments-postgres"


@dataclass(frozen=True, kw_only=True)
class Denied:
    """The run under a wrong authority, the readers' view before and after it, and the run after the repair."""

    ended: Ended
    before: Seen
    live: Seen
    live_shown: str
    repaired: Ended


@pytest.fixture(scope="module")
def denied(stack: Stack, lives: object) -> Denied:
    stack.settle(POSTGRES.name)
    with closing(AwsReader(stack, POSTGRES.name)) as reader:
        reader.leave_nothing_pending()
        before = reader.live()
        with _wrong_authority(stack):
            ended = stack.rotate(POSTGRES.name)
        live = reader.live()
        shown = POSTGRES.show(stack.facts, live.text)
        repaired = stack.rotate(POSTGRES.name)
        if repaired.status != "SUCCEEDED":
            # for the tests that come after
            reader.leave_nothing_pending()
    return Denied(ended=ended, before=before, live=live, live_shown=shown, repaired=repaired)


def test_the_run_fails_and_says_what_it_could_not_undo(denied: Denied) -> None:
    assert (denied.ended.status, denied.ended.error) == ("FAILED", "target_denied")
    failure = {"phase": "prepare", "reason": "target_denied", "not_undone": "withdraw abandon"}
    assert denied.ended.run["failure"] == failure


def test_readers_and_the_target_stay_on_the_credential_from_before_it(denied: Denied) -> None:
    assert denied.live == denied.before
    assert denied.live_shown == ACCEPTED


def test_the_next_rotation_succeeds_once_the_authority_is_right_again(denied: Denied) -> None:
    assert denied.repaired.error == ""
    assert denied.repaired.status == "SUCCEEDED"


@contextmanager
def _wrong_authority(stack: Stack) -> Iterator[None]:
    client = stack.aws("secretsmanager")
    right = client.get_secret_value(SecretId=AUTHORITY)["SecretString"]
    wrong = json.dumps({**json.loads(right), "password": "not the password"})
    client.put_secret_value(SecretId=AUTHORITY, SecretString=wrong)
    try:
        yield
    finally:
        client.put_secret_value(SecretId=AUTHORITY, SecretString=right)
