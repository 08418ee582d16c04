"""One breaker per provider, shared by all functions through the ledger: five failures open it, one trial closes it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import pytest

from rotation.calls import Caller, Kind, Meter
from rotation.errors import KeyturnError, Throttled, Unavailable
from rotation.ledger.breaker import LedgerBreaker
from rotation.ledger.rows import Key, Row, Rows, Write
from tests.model.clock import Clock

PROVIDER = "vault"
FAILURES_TO_OPEN = 5
PAUSE_S = 60


class Process:
    """One warm function: a fresh look at the breaker per invocation, as the workshop makes it."""

    def __init__(self, rows: Rows, clock: Clock) -> None:
        self._rows, self._clock = rows, clock
        self.calls = 0
        self.invoke()

    def invoke(self) -> Process:
        self.breaker = LedgerBreaker(self._rows, self._clock)
        return self

    def call(self, raised: Exception | None = None) -> None:
        """One call of the provider, without retries."""

        def provider() -> None:
            self.calls += 1
            if raised:
                raise raised

        caller = Caller(
            PROVIDER,
            translate=lambda exc: exc if isinstance(exc, KeyturnError) else None,
            meter=Meter(),
            breaker=self.breaker,
            sleep=lambda _: None,
        )
        caller.call(Kind.READ, provider, idempotent=False)

    def fail(self) -> None:
        with pytest.raises(Unavailable, match="down"):
            self.call(Unavailable("down", "no answer"))

    def is_stopped(self) -> bool:
        before = self.calls
        with contextlib.suppress(Unavailable):
            self.call()
        return self.calls == before


@pytest.fixture
def one(rows: Rows, clock: Clock) -> Process:
    return Process(rows, clock)


@pytest.fixture
def two(rows: Rows, clock: Clock) -> Process:
    return Process(rows, clock)


def opened(process: Process) -> Process:
    for _ in range(FAILURES_TO_OPEN):
        process.fail()
    return process


def test_four_failures_leave_it_closed_and_the_fifth_opens_it_for_every_process(one: Process, two: Process) -> None:
    for _ in range(FAILURES_TO_OPEN - 1):
        one.fail()
    assert not two.invoke().is_stopped()
    opened(one.invoke())
    assert one.is_stopped()
    assert two.invoke().is_stopped()


def test_failures_of_several_processes_add_up(one: Process, two: Process) -> None:
    for process in (one, two, one, two, one):
        process.invoke().fail()
    assert two.invoke().is_stopped()


def test_a_success_in_between_starts_the_count_anew(one: Process) -> None:
    for _ in range(2):
        for _ in range(FAILURES_TO_OPEN - 1):
            one.fail()
        one.call()
    assert not one.invoke().is_stopped()


def test_it_stays_open_for_sixty_seconds(one: Process, clock: Clock) -> None:
    opened(one)
    clock.advance(PAUSE_S - 1)
    assert one.invoke().is_stopped()
    clock.advance(1)
    assert not one.invoke().is_stopped()


def test_half_open_lets_one_trial_in_whichever_process_comes_first(one: Process, two: Process, clock: Clock) -> None:
    opened(one)
    # both have looked before the pause is over
    assert one.invoke().is_stopped()
    assert two.invoke().is_stopped()
    clock.advance(PAUSE_S)
    one.breaker.admit(PROVIDER)
    with pytest.raises(Unavailable, match="breaker_open"):
        two.breaker.admit(PROVIDER)
    with pytest.raises(Unavailable, match="breaker_open"):
        two.invoke().breaker.admit(PROVIDER)
    with pytest.raises(Unavailable, match="breaker_open"):
        one.breaker.admit(PROVIDER)


def test_a_trial_that_passes_closes_it_for_every_process(one: Process, two: Process, clock: Clock) -> None:
    opened(one)
    clock.advance(PAUSE_S)
    one.invoke().call()
    assert not two.invoke().is_stopped()
    two.fail()
    assert not two.invoke().is_stopped()


def test_a_trial_that_fails_opens_it_for_another_sixty_seconds(one: Process, two: Process, clock: Clock) -> None:
    opened(one)
    clock.advance(PAUSE_S)
    one.invoke().fail()
    clock.advance(PAUSE_S - 1)
    assert two.invoke().is_stopped()
    clock.advance(1)
    assert not two.invoke().is_stopped()


def test_a_trial_whose_process_died_is_followed_by_another_after_the_pause(
    one: Process, two: Process, clock: Clock
) -> None:
    opened(one)
    clock.advance(PAUSE_S)
    one.invoke().breaker.admit(PROVIDER)
    assert two.invoke().is_stopped()
    clock.advance(PAUSE_S)
    assert not two.invoke().is_stopped()


def test_being_throttled_is_no_failure_of_the_provider(one: Process) -> None:
    for _ in range(3 * FAILURES_TO_OPEN):
        with pytest.raises(Throttled):
            one.call(Throttled("slow", "slow down"))
    assert not one.invoke().is_stopped()


def test_another_provider_is_not_stopped(one: Process) -> None:
    opened(one)
    one.breaker.admit("aws")


class Faulty:
    """Rows that count what is asked, and fail on demand."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.broken: set[str] = set()
        self.asked: list[str] = []

    def get(self, key: Key) -> Row | None:
        self._ask("get")
        return self._rows.get(key)

    def write(self, writes: Sequence[Write]) -> None:
        self._ask("write")
        self._rows.write(writes)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if what in self.broken:
            raise Unavailable("aws_unavailable", "the ledger does not answer")


@pytest.fixture
def faulty(rows: Rows) -> Faulty:
    return Faulty(rows)


def test_a_healthy_provider_costs_one_read_per_invocation_and_no_write(faulty: Faulty, clock: Clock) -> None:
    process = Process(faulty, clock)  # type: ignore[arg-type]
    for _ in range(4):
        process.call()
    assert faulty.asked == ["get"]


def test_a_ledger_that_cannot_be_read_lets_calls_through_and_is_asked_once(
    one: Process, faulty: Faulty, clock: Clock
) -> None:
    opened(one)
    faulty.broken = {"get", "write"}
    blind = Process(faulty, clock)  # type: ignore[arg-type]
    assert not blind.is_stopped()
    blind.fail()
    assert not blind.is_stopped()
    assert faulty.asked == ["get"]


def test_an_open_breaker_stays_shut_when_the_trial_cannot_be_booked(one: Process, faulty: Faulty, clock: Clock) -> None:
    opened(one)
    clock.advance(PAUSE_S)
    faulty.broken = {"write"}
    assert Process(faulty, clock).is_stopped()  # type: ignore[arg-type]


def test_the_end_of_a_call_is_never_replaced_by_trouble_of_the_ledger(faulty: Faulty, clock: Clock) -> None:
    process = Process(faulty, clock)  # type: ignore[arg-type]
    process.fail()
    faulty.broken = {"write"}
    process.call()
    faulty.broken = {"get", "write"}
    process.call()
    process.fail()


def test_a_refusal_names_what_the_provider_failed_with(rows: Rows, clock: Clock) -> None:
    breaker = LedgerBreaker(rows, clock)
    for _ in range(FAILURES_TO_OPEN):
        breaker.report("vault", healthy=False, reason="vault_unavailable")
    with pytest.raises(Unavailable) as refused:
        LedgerBreaker(rows, clock).admit("vault")
    assert refused.value.reason == "breaker_open"
    assert "[vault_unavailable]" in refused.value.message
