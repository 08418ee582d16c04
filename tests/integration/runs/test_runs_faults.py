"""Rotations whose way to a store or a target is spoilt on the wire end well, through the real machines and zips.

Waits of the machines are scaled by `WAIT_SCALE` (0.05): what is called a minute here takes three seconds. The pauses
inside a function are not, so that a run has more time here than it would: that the numbers are enough without any scale
is shown in virtual time, by the unit tests of an outage.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from runs_credentials import ALL, API_TOKEN, POSTGRES, SIGNING_KEY, Credential
from runs_faults_crossed import Crossed, cross
from runs_faults_played import Played, assert_ended_well, play_all
from runs_faults_ways import WAIT_SCALE, Faulty, Way, impatient, scaled_breakers
from runs_stack import DEADLINE_S, until
from runs_targets import ACCEPTED

from rotation.calls import ATTEMPTS, FIRST_PAUSE_S
from rotation.definition import RETRY_ATTEMPTS, RETRY_BACKOFF, RETRY_INTERVAL_S
from rotation.ledger.breaker import FAILURES_TO_OPEN
from sandbox.faults.contract import Faults

pytestmark = pytest.mark.sandbox

each = pytest.mark.parametrize("credential", ALL, ids=lambda credential: credential.name)

# one more than a call's own attempts: the machine has to try again
THROTTLED_CALLS = ATTEMPTS + 1
RETRY_AFTER_S = 1.0
# what a function that starts again does once more: log in, or look for a version that it may have made
AGAIN = 1
# of the task of `prepare`; Google's first call cannot be repeated by the function, because it adds a version
THROTTLED_TASKS = {POSTGRES.name: 1, API_TOKEN.name: 1, SIGNING_KEY.name: 2}
MINUTE_S = 60.0
# less than a call's patience (10 s), so that the function ends before its call does; a cold start fits
IMPATIENT_S = 5
HELD_S = 8.0


@pytest.fixture(scope="module")
def untroubled(faulty: Faulty) -> dict[str, Played]:
    """First values, then a rotation through the proxies without a fault."""
    with ThreadPoolExecutor(len(ALL)) as pool:
        first = list(pool.map(lambda credential: faulty.stack.rotate(credential.name).status, ALL))
    assert first == ["SUCCEEDED"] * len(ALL)
    return play_all(faulty, lambda _: None)


@pytest.fixture(scope="module")
def throttled(faulty: Faulty, untroubled: object) -> dict[str, Played]:
    return play_all(faulty, lambda way: way.store.throttle(THROTTLED_CALLS, RETRY_AFTER_S))


@pytest.fixture(scope="module")
def outlasted(faulty: Faulty, untroubled: object) -> tuple[dict[str, Played], set[str]]:
    """All stores down from the first call of a run; and which breakers were open."""
    with scaled_breakers(faulty) as opened:
        played = play_all(faulty, _go_down)
    return played, opened


def _go_down(way: Way) -> None:
    way.store.down_for(DEADLINE_S)
    threading.Thread(target=_outage, args=(way.store,)).start()


def _outage(store: Faults) -> None:
    """A scaled minute from the first call that fails, and longer where five take longer on a busy machine."""
    until(lambda: store.hits() or None, "a call to a store that is down")
    over = time.monotonic() + MINUTE_S * WAIT_SCALE
    until(lambda: len(store.hits()) >= FAILURES_TO_OPEN or None, "five calls to a store that is down")
    until(lambda: time.monotonic() >= over or None, "the end of a minute")
    store.recover()


@pytest.fixture(scope="module")
def unanswered(faulty: Faulty, untroubled: object) -> dict[str, Played]:
    """Every write of a rotation is done and its answer lost, once each."""

    def spoil(way: Way) -> None:
        for write in way.writes:
            way.store.apply_then_drop(write)

    return play_all(faulty, spoil)


@pytest.fixture(scope="module")
def crossed(faulty: Faulty, untroubled: object) -> Crossed:
    return cross(faulty)


@pytest.fixture(scope="module")
def timed_out(faulty: Faulty, untroubled: object) -> dict[str, Played]:
    """The function ends at its timeout while it waits for an answer to `apply`, and again to `promote`."""

    def spoil(way: Way) -> None:
        way.target.apply_then_drop(way.apply, HELD_S)
        way.store.apply_then_drop(way.promote, HELD_S)

    with impatient(faulty.stack, ALL, IMPATIENT_S):
        return play_all(faulty, spoil)


@each
def test_the_way_through_the_proxies_changes_nothing(credential: Credential, untroubled: dict[str, Played]) -> None:
    played = untroubled[credential.name]
    assert_ended_well(credential, played)
    assert (played.hits, played.failed.total()) == ([], 0)


@each
def test_a_rotation_ends_well_when_the_store_throttles_its_first_calls(
    credential: Credential, throttled: dict[str, Played], untroubled: dict[str, Played]
) -> None:
    played = throttled[credential.name]
    assert_ended_well(credential, played)
    assert len(played.hits) == THROTTLED_CALLS
    assert played.failed == {"prepare": THROTTLED_TASKS[credential.name]}
    spent = played.calls - untroubled[credential.name].calls
    assert THROTTLED_CALLS <= spent <= THROTTLED_CALLS + AGAIN


@pytest.mark.parametrize("credential", [API_TOKEN, SIGNING_KEY], ids=lambda credential: credential.name)
def test_a_throttled_call_waits_as_long_as_retry_after_says(
    credential: Credential, throttled: dict[str, Played]
) -> None:
    assert min(_pauses(throttled[credential.name])) >= RETRY_AFTER_S


def test_a_throttled_call_backs_off_where_the_store_names_no_time(throttled: dict[str, Played]) -> None:
    first, second = _pauses(throttled[POSTGRES.name])
    assert first >= FIRST_PAUSE_S
    assert second >= 2 * FIRST_PAUSE_S


def _pauses(played: Played) -> list[float]:
    """Between the attempts of the first call that the function repeated itself."""
    operation = Counter(hit.operation for hit in played.hits).most_common(1)[0][0]
    moments = [hit.at for hit in played.hits if hit.operation == operation][:ATTEMPTS]
    return [later - sooner for sooner, later in pairwise(moments)]


def test_the_machine_waits_longer_than_a_minute_before_its_last_retry() -> None:
    pauses = [RETRY_INTERVAL_S * RETRY_BACKOFF**n for n in range(RETRY_ATTEMPTS)]
    assert pauses == [5, 10, 20, 40, 80]
    # 5 + 10 + 20 + 40 = 75 s; the retry after 80 s more is left for the breaker's pause
    assert sum(pauses[:-1]) > MINUTE_S


@each
def test_at_scale_0_05_a_rotation_outlasts_a_store_that_is_down_for_a_minute(
    credential: Credential, outlasted: tuple[dict[str, Played], set[str]]
) -> None:
    played = outlasted[0][credential.name]
    assert_ended_well(credential, played)
    assert 1 < played.failed["prepare"] <= RETRY_ATTEMPTS
    assert set(played.failed) == {"prepare"}


def test_the_circuit_breaker_was_open_meanwhile_and_spared_the_store(
    faulty: Faulty, outlasted: tuple[dict[str, Played], set[str]]
) -> None:
    played, opened = outlasted
    assert opened == {way.provider for way in faulty.ways.values()}
    # without it every failed invocation would have called three times
    for name, way in faulty.ways.items():
        assert len(played[name].hits) == FAILURES_TO_OPEN, way.provider


@each
def test_a_rotation_ends_well_when_the_answer_to_each_of_its_writes_is_lost(
    credential: Credential, unanswered: dict[str, Played], faulty: Faulty
) -> None:
    played = unanswered[credential.name]
    assert_ended_well(credential, played)
    assert len(played.hits) == len(faulty.ways[credential.name].writes)
    assert played.failed.total() == 0


@each
def test_a_function_that_timed_out_after_its_effect_leaves_one_version_and_one_current(
    credential: Credential, timed_out: dict[str, Played]
) -> None:
    played = timed_out[credential.name]
    assert_ended_well(credential, played)
    # on a busy machine it may time out once more than it was made to
    assert played.failed.keys() == {"prepare", "promote"}
    assert played.ended.step("apply")["attempts"] > 1
    assert played.ended.step("promote")["attempts"] > 1


def test_while_the_retirement_is_due_a_rotation_is_refused_and_it_stays_due(crossed: Crossed) -> None:
    assert (crossed.due.status, crossed.due.error, crossed.due.cause) == ("FAILED", "overlap_open", "claim")
    assert crossed.due.run["steps"] == []
    assert crossed.kept["due_at"]["S"] <= crossed.retired.run["started_at"]


def test_while_it_is_under_way_a_rotation_is_refused_before_it_changes_anything(crossed: Crossed) -> None:
    assert (crossed.meanwhile.status, crossed.meanwhile.error) == ("FAILED", "claim_held")
    assert (crossed.meanwhile.cause, crossed.meanwhile.run["steps"]) == ("claim", [])


def test_the_retirement_ends_with_its_proof_though_the_answer_to_its_revoke_was_lost(crossed: Crossed) -> None:
    assert crossed.retired.status == "SUCCEEDED"
    assert crossed.retired.step("prove")["facts"]["proof"] == "dead"
    assert crossed.retired.run["ended_at"] > crossed.meanwhile.run["ended_at"]
    assert (crossed.shown_old, crossed.shown_live) == (API_TOKEN.refusal, ACCEPTED)


def test_one_credential_is_left_and_the_next_rotation_begins_from_it(crossed: Crossed) -> None:
    assert (crossed.head["overlap"], crossed.head["run_id"]) == (None, "")
    assert crossed.head["current"]["id"] == crossed.live.version
    assert crossed.afterwards.status == "SUCCEEDED"
    assert crossed.afterwards.step("stage")["intent"]["from_version"] == crossed.live.version


@each
def test_after_all_of_it_the_old_credential_can_be_retired_and_proved_dead(
    credential: Credential, faulty: Faulty, timed_out: dict[str, Played]
) -> None:
    old = timed_out[credential.name].old
    retired = faulty.stack.retire(credential.name)
    assert retired.status == "SUCCEEDED"
    assert retired.step("prove")["facts"]["proof"] == "dead"
    assert credential.show(faulty.stack.facts, old.text) == credential.refusal
