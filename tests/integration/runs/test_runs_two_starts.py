"""Two people ask for the same rotation at the same moment: one run claims the secret, one version is made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

import pytest
from runs_credentials import ALL, SIGNING_KEY, Credential
from runs_stack import Ended, Stack
from runs_stores import Seen
from runs_targets import ACCEPTED

from sandbox.wire import ask, bearer

T = TypeVar("T")

pytestmark = pytest.mark.sandbox

each = pytest.mark.parametrize("credential", ALL, ids=lambda credential: credential.name)


@dataclass(frozen=True, kw_only=True)
class Met:
    """Two runs that met. `made`: versions that the store has more; `epochs`: how many claims there were.

    keys: how many more the verifier was given.
    """

    won: Ended
    lost: Ended
    old: Seen
    live: Seen
    shown: dict[str, str]
    made: set[str]
    epochs: int
    keys: int


@pytest.fixture(scope="module")
def met(stack: Stack, lives: dict[str, object]) -> dict[str, Met]:
    """Two starts at once of every credential, one after the other, so that the two that meet are not kept apart."""
    stack.settle(*lives)
    return {credential.name: _meet(stack, credential) for credential in ALL}


@each
def test_exactly_one_succeeds_and_the_other_is_refused_before_it_did_anything(
    credential: Credential, met: dict[str, Met]
) -> None:
    won, lost = met[credential.name].won, met[credential.name].lost
    assert (won.status, lost.status, lost.cause) == ("SUCCEEDED", "FAILED", "claim")
    # `claim_held`: it saw the other's claim; `claim_lost`: both saw none, and the table decided
    assert lost.error in ("claim_held", "claim_lost")
    assert (lost.run["steps"], lost.run["epoch"]) == ([], 0)
    assert met[credential.name].epochs == 1


@each
def test_one_version_is_made_and_it_is_current_and_accepted(credential: Credential, met: dict[str, Met]) -> None:
    seen = met[credential.name]
    assert seen.made == {seen.live.version}
    assert seen.won.step("promote")["facts"]["version"] == seen.live.version
    assert seen.shown == {"old": ACCEPTED, "live": ACCEPTED}


def test_the_target_is_given_one_credential(met: dict[str, Met]) -> None:
    """The verifier is the target that lists whatever it was given."""
    assert met[SIGNING_KEY.name].keys == 1


def _meet(stack: Stack, credential: Credential) -> Met:
    with closing(credential.reader(stack)) as reader:
        old, versions, keys = reader.live(), set(reader.versions()), _keys(stack)
        # control has two workers that are awake
        epoch, _ = _both(lambda: stack.head(credential.name)["epoch"])
        won, lost = sorted(_both(lambda: stack.rotate(credential.name)), key=lambda ended: ended.status, reverse=True)
        live = reader.live()
        return Met(
            won=won,
            lost=lost,
            old=old,
            live=live,
            shown={"old": credential.show(stack.facts, old.text), "live": credential.show(stack.facts, live.text)},
            made=set(reader.versions()) - versions,
            epochs=stack.head(credential.name)["epoch"] - epoch,
            keys=len(_keys(stack) - keys),
        )


def _both(request: Callable[[], T]) -> list[T]:
    ready = threading.Barrier(2)

    def start(_: int) -> T:
        ready.wait()
        return request()

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(start, range(2)))


def _keys(stack: Stack) -> set[str]:
    """Ids of the keys that the verifier was ever given."""
    port = int(stack.facts.verifier_url.rpartition(":")[2])
    status, answer = ask(port, "GET", "/keys", headers=bearer(stack.credentials.verifier_authority))
    assert status == 200
    return set(answer)
