"""Two people ask for the same rotation at the same moment: one run claims the secret, one version is made."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from runs_credentials import SIGNING_KEY
from runs_stack import Ended, Stack

from sandbox.wire import ask, bearer

pytestmark = pytest.mark.sandbox


def test_of_two_starts_at_once_exactly_one_claims_and_one_version_is_made(settled: Stack) -> None:
    with closing(SIGNING_KEY.reader(settled)) as reader:
        versions, keys = set(reader.versions()), _keys(settled)
        ends = _both(settled)
        made = set(reader.versions()) - versions
    assert sorted(ended.status for ended in ends) == ["FAILED", "SUCCEEDED"]
    won, lost = sorted(ends, key=lambda ended: ended.status, reverse=True)
    # `claim_held`: it saw the other's claim; `claim_lost`: both saw none, and the table decided
    assert (lost.error in ("claim_held", "claim_lost"), lost.cause) == (True, "claim")
    assert lost.run["steps"] == []
    assert made == {won.step("stage")["facts"]["version"]}
    assert len(_keys(settled) - keys) == 1


def _both(stack: Stack) -> list[Ended]:
    ready = threading.Barrier(2)

    def start(_: int) -> Ended:
        ready.wait()
        return stack.rotate(SIGNING_KEY.name)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(start, range(2)))


def _keys(stack: Stack) -> set[str]:
    """Ids of the keys that the verifier was ever given."""
    port = int(stack.facts.verifier_url.rpartition(":")[2])
    status, answer = ask(port, "GET", "/keys", headers=bearer(stack.credentials.verifier_authority))
    assert status == 200
    return set(answer)
