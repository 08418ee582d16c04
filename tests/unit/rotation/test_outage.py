"""A provider that is down for a minute is outlasted, in virtual time, with the real numbers of everything that waits.

The machine's Retry stands around the attempts and pauses of a call, and around the circuit breaker that all runs share.
"""

from __future__ import annotations

import pytest

from rotation import definition
from rotation.calls import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, Caller, Kind, Meter
from rotation.errors import KeyturnError, Unavailable
from rotation.ledger.breaker import FAILURES_TO_OPEN, LedgerBreaker
from rotation.ledger.memory import MemoryRows
from tests.model.virtual_time import VirtualTime

MINUTE_S = 60.0
PROVIDER = "vault"
# store calls of one invocation, and how long one takes when all is well
CALLS, CALL_S = 4, 0.05
# a cold start
START_S = 0.5
# the first call meets the outage, or a later minute of it does
BEGINNINGS_S = (0.0, 15.0, 30.0, 45.0, 59.0)


class Provider:
    """Down from the beginning until `until`; each call to it then fails after `patience` seconds."""

    def __init__(self, time: VirtualTime, until: float, patience: float) -> None:
        self.time, self.rows, self.calls_while_down = time, MemoryRows(), 0
        self._until, self._patience = until, patience

    def answer(self) -> None:
        if self.time.seconds >= self._until:
            self.time.sleep(CALL_S)
            return
        self.calls_while_down += 1
        self.time.sleep(self._patience)
        raise Unavailable("down", "no answer")


class Run:
    """One task of a machine, begun at `begins`: `attempts` it took, and whether it `passed` in the end."""

    def __init__(self, provider: Provider, begins: float) -> None:
        self._provider, self._begins = provider, begins
        self.attempts, self.passed = 0, False

    def __call__(self) -> None:
        time, pause = self._provider.time, definition.RETRY_INTERVAL_S
        time.sleep(self._begins)
        for _ in range(definition.RETRY_ATTEMPTS + 1):
            self.attempts += 1
            time.sleep(START_S)
            try:
                self._invocation()
            except Unavailable:
                time.sleep(pause)
                pause *= definition.RETRY_BACKOFF
            else:
                self.passed = True
                return

    def _invocation(self) -> None:
        time = self._provider.time
        caller = Caller(
            PROVIDER,
            translate=lambda exc: exc if isinstance(exc, KeyturnError) else None,
            meter=Meter(),
            breaker=LedgerBreaker(self._provider.rows, time),
            sleep=time.sleep,
        )
        for _ in range(CALLS):
            caller.call(Kind.READ, self._provider.answer)


def played(runs: int, begins: float, down_s: float, patience: float) -> tuple[Provider, list[Run]]:
    time = VirtualTime()
    provider = Provider(time, down_s, patience)
    started = [Run(provider, begins) for _ in range(runs)]
    time.run(started)
    return provider, started


def test_the_pauses_of_the_machine_add_up_to_more_than_two_minutes() -> None:
    pauses = [definition.RETRY_INTERVAL_S * definition.RETRY_BACKOFF**n for n in range(definition.RETRY_ATTEMPTS)]
    assert pauses == [5, 10, 20, 40, 80]
    # a minute is outlasted before the last retry, which stays for a second misfortune
    assert sum(pauses[:-1]) > MINUTE_S
    assert sum(pauses) > 2 * MINUTE_S


@pytest.mark.parametrize("patience", [0.0, CONNECT_TIMEOUT_S, READ_TIMEOUT_S], ids=["refused", "connect", "read"])
@pytest.mark.parametrize("runs", [1, 2, 20])
def test_every_run_outlasts_a_minute_and_keeps_a_retry(runs: int, patience: float) -> None:
    for begins in BEGINNINGS_S:
        _, ends = played(runs, begins, MINUTE_S, patience)
        assert all(run.passed for run in ends)
        assert max(run.attempts for run in ends) <= definition.RETRY_ATTEMPTS


@pytest.mark.parametrize("patience", [0.0, CONNECT_TIMEOUT_S, READ_TIMEOUT_S], ids=["refused", "connect", "read"])
def test_runs_side_by_side_outlast_two_minutes_because_one_trial_serves_all(patience: float) -> None:
    for begins in BEGINNINGS_S:
        _, ends = played(20, begins, 2 * MINUTE_S, patience)
        assert all(run.passed for run in ends)


def test_a_provider_that_is_down_hears_at_most_five_calls_of_each_run() -> None:
    # in step as these are, failures at the same moment count as one
    together, _ = played(20, 0.0, MINUTE_S, CONNECT_TIMEOUT_S)
    alone, _ = played(1, 0.0, MINUTE_S, CONNECT_TIMEOUT_S)
    assert alone.calls_while_down == FAILURES_TO_OPEN
    assert together.calls_while_down <= 20 * FAILURES_TO_OPEN
