"""The circuit breaker's state in the ledger, so that all functions see one provider alike.

Five failures open it; after sixty seconds one trial is let in, whose end closes or opens it again. The state is read
once per invocation and provider, and written only when it changes: a healthy provider costs one read. Who is refused
reads it again at the next attempt: of many runs that wait for a provider one gets the trial, and the others would have
used up one of the machine's few retries, though the provider answers again.

A state that cannot be read lets calls through, for the rest of the invocation: the breaker spares a provider that is
down, it is no safety switch. Without a ledger no step begins anyway (its intent cannot be written), and what undoes
a run must not wait for a counter. A breaker known to be open stays shut when the trial cannot be booked. Reporting
never raises: it would put the ledger's trouble in the place of an effect that has happened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from rotation.errors import KeyturnError, Unavailable
from rotation.ledger.moments import timestamp
from rotation.ledger.rows import ConditionFailed, Expect, Key, Put, Rows

FAILURES_TO_OPEN = 5
OPEN_FOR = timedelta(seconds=60)


@dataclass
class _State:
    failures: int = 0
    open_until: str = ""
    rev: int = 0
    # nobody could read it
    unknown: bool = False
    # slug of the last failure, so that the refusal says what is behind it
    reason: str = ""
    # somebody was refused by it
    look_again: bool = False


class LedgerBreaker:
    """Shared breaker; the ledger's own calls must not go through it."""

    def __init__(self, rows: Rows, clock: Callable[[], datetime]) -> None:
        self._rows = rows
        self._clock = clock
        self._states: dict[str, _State] = {}

    def admit(self, provider: str) -> None:
        """Unavailable `breaker_open` while open; the first caller after the pause becomes the trial."""
        state = self._state(provider)
        if state.failures < FAILURES_TO_OPEN:
            return
        now = timestamp(self._clock())
        if now < state.open_until:
            # the one trial that others wait for may end before the next attempt
            state.look_again = True
            raise Unavailable(
                "breaker_open",
                f"{provider} failed {state.failures} times in a row{_last(state)}; no call until {state.open_until}",
                "wait; one trial is let in after the pause",
            )
        # half open: whoever moves the pause forward is the one trial
        if not self._save(provider, state.failures, timestamp(self._clock() + OPEN_FOR), state.reason):
            raise Unavailable("breaker_open", f"another trial of {provider} is under way", "wait")

    def report(self, provider: str, *, healthy: bool, reason: str = "") -> None:
        """A failure counts up and may open; a success after failures resets. Losing a race of writers is harmless."""
        state = self._state(provider)
        if state.unknown or (healthy and not state.failures):
            return
        failures = 0 if healthy else state.failures + 1
        opens = timestamp(self._clock() + OPEN_FOR) if failures >= FAILURES_TO_OPEN else ""
        self._save(provider, failures, opens, reason)

    def _state(self, provider: str) -> _State:
        known = self._states.get(provider)
        if known is None or known.look_again:
            seen = self._read(provider)
            self._states[provider] = known if known and seen.unknown else seen
        return self._states[provider]

    def _read(self, provider: str) -> _State:
        try:
            row = self._rows.get(_key(provider)) or {}
        except KeyturnError:
            return _State(unknown=True)
        return _State(
            failures=row.get("failures", 0),
            open_until=row.get("open_until", ""),
            rev=row.get("rev", 0),
            reason=row.get("reason", ""),
        )

    def _save(self, provider: str, failures: int, open_until: str, reason: str) -> bool:
        state = self._state(provider)
        expect = Expect(equals={"rev": state.rev} if state.rev else {}, or_absent=not state.rev)
        row = {"failures": failures, "open_until": open_until, "reason": reason, "rev": state.rev + 1}
        try:
            self._rows.write([Put(key=_key(provider), row=row, expect=expect)])
        except (ConditionFailed, KeyturnError):
            self._states.pop(provider, None)
            return False
        self._states[provider] = _State(failures, open_until, state.rev + 1, reason=reason)
        return True


def _last(state: _State) -> str:
    return f", the last time with [{state.reason}]" if state.reason else ""


def _key(provider: str) -> Key:
    return Key(f"breaker#{provider}", "state")
