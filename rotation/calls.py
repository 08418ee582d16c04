"""How every call to a provider is made: counted, translated, retried, and stopped by a shared circuit breaker.

Adapters hand a `Caller` the kind of the call and a function. Vendor retries are switched off in the clients, so
that one place decides: three attempts with exponential back-off that honours Retry-After, one attempt for a call that
is not idempotent. Timeouts are set on the clients (`CONNECT_TIMEOUT_S`, `READ_TIMEOUT_S`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

from rotation.errors import KeyturnError, Throttled, Unavailable

if TYPE_CHECKING:
    import tenacity

T = TypeVar("T")

# A provider that has not accepted a connection by then is down for this attempt; three fit a function's minute.
CONNECT_TIMEOUT_S = 3
# Long enough for a slow write, short enough that three attempts and their pauses end before the function does.
READ_TIMEOUT_S = 10
# The house rule for any provider: three attempts.
ATTEMPTS = 3
# First pause; doubles per attempt.
FIRST_PAUSE_S = 0.2
# No single pause is longer, whatever Retry-After says: the state machine's own retry is the longer wait.
LONGEST_PAUSE_S = 8.0


class Kind(StrEnum):
    """Columns in which calls are counted: `read` and `write` are a store's budget, the others stand beside it."""

    READ = "read"
    WRITE = "write"
    LOGIN = "login"
    AUTHORITY = "authority"
    # a credential shown to its target, as a consumer would
    TARGET = "target"
    LEDGER = "ledger"
    CATALOGUE = "catalogue"
    CONTROL = "control"
    # consumers are told: signature, queues, Redis
    PUBLISH = "publish"


class Meter:
    """Counts calls by kind; every attempt counts."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._column: Kind | None = None

    def count(self, kind: Kind) -> None:
        """One call of this kind was sent."""
        # the breaker's look at the ledger stays the ledger's, whoever's call it was made for
        column = kind if kind is Kind.LEDGER else self._column or kind
        self._counts[column.value] += 1

    @contextmanager
    def counted_as(self, column: Kind) -> Iterator[None]:
        """Count the calls inside in another column: the authority's read is a store call, but not the credential's."""
        before, self._column = self._column, column
        try:
            yield
        finally:
            self._column = before

    def totals(self) -> dict[str, int]:
        """Calls by kind so far, e.g. `{"read": 2, "write": 1}`."""
        return dict(self._counts)


class Breaker(Protocol):
    """A circuit breaker shared by all functions: five failures open it, after sixty seconds one trial is let in."""

    def admit(self, provider: str) -> None:
        """Unavailable `breaker_open` while the provider's breaker is open."""
        ...

    def report(self, provider: str, *, healthy: bool, reason: str = "") -> None:
        """Tell how a call ended: `healthy` is False only where the provider itself failed, for `reason`."""
        ...


class NullBreaker:
    """Lets everything through: for tests and for programs without a ledger."""

    def admit(self, provider: str) -> None:
        """Admit."""

    def report(self, provider: str, *, healthy: bool, reason: str = "") -> None:
        """Forget."""


class Caller:
    """Makes the calls of one provider.

    translate: turns a vendor exception into one of ours, or None for a defect of this program, which passes as it is.
    """

    def __init__(
        self,
        provider: str,
        *,
        translate: Callable[[Exception], KeyturnError | None],
        meter: Meter,
        breaker: Breaker,
        sleep: Callable[[float], None],
    ) -> None:
        self.provider = provider
        self.meter = meter
        self._translate = translate
        self._breaker = breaker
        self._sleep = sleep

    def call(
        self,
        kind: Kind,
        function: Callable[[], T],
        *,
        idempotent: bool = True,
        also_retry: tuple[type[KeyturnError], ...] = (),
    ) -> T:
        """Run `function`; raises only KeyturnError classes for what the vendor raised.

        also_retry: answers that may be a lag of the provider, such as NotFound right after a write; of a call that is
        not idempotent, those that say that nothing was done.
        """
        safe: tuple[type[KeyturnError], ...] = (Throttled, Unavailable) if idempotent else ()
        retryable = (*safe, *also_retry)
        try:
            return self._once(kind, function)
        except retryable as exc:
            return self._again(exc, retryable, lambda: self._once(kind, function))

    def _again(self, first: KeyturnError, retryable: tuple[type[KeyturnError], ...], once: Callable[[], T]) -> T:
        # only a call that failed pays for this import: it would be a good part of what a handler costs over its SDKs
        import tenacity  # noqa: PLC0415

        failed = [first]

        def attempt() -> T:
            # the first attempt has been made, and failed
            if failed:
                raise failed.pop()
            return once()

        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            retry=tenacity.retry_if_exception_type(retryable),
            wait=_pause,
            sleep=self._sleep,
            reraise=True,
        )
        result: T = retrying(attempt)
        return result

    def _once(self, kind: Kind, function: Callable[[], T]) -> T:
        self._breaker.admit(self.provider)
        self.meter.count(kind)
        try:
            result = function()
        except KeyturnError as exc:
            # raised inside the call, such as Fenced: whoever said so did answer
            self._breaker.report(self.provider, healthy=not isinstance(exc, Unavailable), reason=exc.reason)
            raise
        except Exception as exc:
            ours = self._translate(exc)
            if ours is None:
                raise
            self._breaker.report(self.provider, healthy=not isinstance(ours, Unavailable), reason=ours.reason)
            raise ours from exc
        self._breaker.report(self.provider, healthy=True)
        return result


def _pause(state: tenacity.RetryCallState) -> float:
    exception = state.outcome.exception() if state.outcome else None
    asked = exception.retry_after_s if isinstance(exception, Throttled) else None
    doubled = FIRST_PAUSE_S * 2 ** (state.attempt_number - 1)
    return float(min(LONGEST_PAUSE_S, max(asked or 0.0, doubled)))
