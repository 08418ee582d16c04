"""Calls to a provider: counted, translated, tried three times with pauses that honour Retry-After."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.calls import ATTEMPTS, CONNECT_TIMEOUT_S, LONGEST_PAUSE_S, READ_TIMEOUT_S, Caller, Kind, Meter
from rotation.definition import FUNCTION_TIMEOUT_S, TASK_TIMEOUT_S
from rotation.errors import (
    Conflict,
    Denied,
    Fenced,
    Halted,
    KeyturnError,
    NotFound,
    Refused,
    Throttled,
    Unavailable,
)

TRANSIENT = (Throttled, Unavailable)
DEFINITE = (Refused, Conflict, NotFound, Denied, Halted, Fenced)


class VendorError(Exception):
    """What an SDK raises; carries what it is to be translated into."""

    def __init__(self, ours: KeyturnError | None) -> None:
        super().__init__("vendor's words")
        self.ours = ours


@dataclass
class Recorder:
    """A breaker that remembers; a clock that only notes the pauses."""

    reports: list[bool] = field(default_factory=list)
    admitted: int = 0
    pauses: list[float] = field(default_factory=list)
    refusal: KeyturnError | None = None

    def admit(self, provider: str) -> None:
        assert provider == "vendor"
        self.admitted += 1
        if self.refusal:
            raise self.refusal

    def report(self, provider: str, *, healthy: bool, reason: str = "") -> None:
        assert provider == "vendor"
        assert healthy or reason, "a failure names its reason"
        self.reports.append(healthy)


class Bench:
    """A caller whose provider answers what the script says, then `done`."""

    def __init__(self) -> None:
        self.recorder, self.meter = Recorder(), Meter()
        self.caller = Caller(
            "vendor",
            translate=lambda exc: exc.ours if isinstance(exc, VendorError) else None,
            meter=self.meter,
            breaker=self.recorder,
            sleep=self.recorder.pauses.append,
        )

    def call(self, *script: KeyturnError, **how: Any) -> str:
        answers = iter(script)

        def provider() -> str:
            for ours in answers:
                raise VendorError(ours)
            return "done"

        return self.caller.call(Kind.READ, provider, **how)

    @property
    def attempts(self) -> int:
        return self.meter.totals().get("read", 0)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def slow(retry_after_s: float | None = None) -> Throttled:
    return Throttled("slow", "slow down", retry_after_s=retry_after_s)


def test_a_call_that_passes_is_made_once_without_a_pause(bench: Bench) -> None:
    assert bench.call() == "done"
    assert (bench.attempts, bench.recorder.pauses, bench.recorder.reports) == (1, [], [True])


@pytest.mark.parametrize("transient", TRANSIENT)
def test_what_may_pass_is_tried_three_times_with_doubling_pauses(bench: Bench, transient: type[KeyturnError]) -> None:
    assert bench.call(transient("t", "no"), transient("t", "no")) == "done"
    assert bench.attempts == 3
    assert bench.recorder.pauses == [0.2, 0.4]


@pytest.mark.parametrize("transient", TRANSIENT)
def test_after_the_third_attempt_our_own_error_comes_out_with_the_vendors_as_cause(
    bench: Bench, transient: type[KeyturnError]
) -> None:
    with pytest.raises(transient) as caught:
        bench.call(*[transient("t", "no")] * ATTEMPTS)
    assert isinstance(caught.value.__cause__, VendorError)
    assert (bench.attempts, len(bench.recorder.pauses)) == (3, 2)


@pytest.mark.parametrize("definite", DEFINITE)
def test_a_definite_answer_is_not_asked_for_again(bench: Bench, definite: type[KeyturnError]) -> None:
    with pytest.raises(definite):
        bench.call(definite("d", "no"))
    assert (bench.attempts, bench.recorder.pauses) == (1, [])


@pytest.mark.parametrize("transient", TRANSIENT)
def test_a_call_that_is_not_idempotent_gets_one_attempt(bench: Bench, transient: type[KeyturnError]) -> None:
    with pytest.raises(transient):
        bench.call(transient("t", "no"), idempotent=False)
    assert (bench.attempts, bench.recorder.pauses) == (1, [])


def test_an_answer_that_may_be_a_lag_is_retried_where_the_caller_says_so(bench: Bench) -> None:
    assert bench.call(NotFound("lag", "not yet"), also_retry=(NotFound,)) == "done"
    with pytest.raises(Conflict):
        bench.call(Conflict("c", "no"), also_retry=(NotFound,))
    assert bench.attempts == 3


def test_retry_after_is_honoured(bench: Bench) -> None:
    bench.call(slow(3.5), slow(None))
    assert bench.recorder.pauses == [3.5, 0.4]


@pytest.mark.parametrize("asked", [LONGEST_PAUSE_S + 1, 3_600.0, float("inf")])
def test_retry_after_is_capped(bench: Bench, asked: float) -> None:
    bench.call(slow(asked))
    assert bench.recorder.pauses == [LONGEST_PAUSE_S]


@given(st.lists(st.none() | st.floats(allow_nan=False), min_size=1, max_size=2))
def test_no_pause_is_longer_than_the_longest_nor_shorter_than_the_back_off(asked: list[float | None]) -> None:
    bench = Bench()
    bench.call(*[slow(seconds) for seconds in asked])
    for pause, least in zip(bench.recorder.pauses, (0.2, 0.4), strict=False):
        assert least <= pause <= LONGEST_PAUSE_S


def test_an_error_without_a_translation_passes_as_it_is_and_says_nothing_about_the_provider(bench: Bench) -> None:
    def defect() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        bench.caller.call(Kind.READ, defect)
    assert (bench.attempts, bench.recorder.reports) == (1, [])


@pytest.mark.parametrize(
    ("ours", "healthy"), [(Unavailable, False), *((answered, True) for answered in (Throttled, *DEFINITE))]
)
def test_only_a_provider_that_does_not_answer_counts_as_a_failure(
    bench: Bench, ours: type[KeyturnError], healthy: bool
) -> None:
    with pytest.raises(ours):
        bench.call(ours("r", "no"), idempotent=False)
    assert bench.recorder.reports == [healthy]


def test_the_breaker_is_asked_before_every_attempt_and_told_after_each(bench: Bench) -> None:
    bench.call(Unavailable("u", "no"), slow())
    assert bench.recorder.admitted == 3
    assert bench.recorder.reports == [False, True, True]


def test_an_open_breaker_lets_no_call_through_and_none_is_counted(bench: Bench) -> None:
    bench.recorder.refusal = Unavailable("breaker_open", "open")
    with pytest.raises(Unavailable, match="breaker_open"):
        bench.call()
    assert (bench.attempts, bench.recorder.reports) == (0, [])


def test_every_attempt_counts_in_its_column() -> None:
    meter = Meter()
    meter.count(Kind.WRITE)
    with meter.counted_as(Kind.AUTHORITY):
        meter.count(Kind.READ)
        with meter.counted_as(Kind.LOGIN):
            meter.count(Kind.READ)
        # the breaker's look, whoever's call it was made for
        meter.count(Kind.LEDGER)
        meter.count(Kind.READ)
    meter.count(Kind.READ)
    assert meter.totals() == {"write": 1, "authority": 2, "login": 1, "read": 1, "ledger": 1}


def test_a_column_is_left_also_when_the_call_fails() -> None:
    meter = Meter()
    with pytest.raises(ValueError, match="x"), meter.counted_as(Kind.AUTHORITY):
        raise ValueError("x")
    meter.count(Kind.READ)
    assert meter.totals() == {"read": 1}


def test_the_worst_call_ends_before_the_function_and_the_function_before_the_task() -> None:
    worst = ATTEMPTS * (CONNECT_TIMEOUT_S + READ_TIMEOUT_S) + (ATTEMPTS - 1) * LONGEST_PAUSE_S
    assert worst < FUNCTION_TIMEOUT_S < TASK_TIMEOUT_S
