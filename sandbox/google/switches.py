"""The switches that make the server behave badly on purpose: lag, faults, denial, throttling, quotas. All off at start.

In one process a test sets them as attributes of `GoogleServer.switches`; from outside `remote.py` sets the same ones
over the control service of the same port. They are the only part of the server that the real service does not have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import grpc

from sandbox.google.refusals import Refusal, exhausted
from sandbox.google.views import Lag

# A name that stands for every method, and for every identity.
ANY = "*"


class When(StrEnum):
    """Where a call fails."""

    # nothing happened
    BEFORE = "before"
    # the effect happened, the answer is lost
    AFTER = "after"
    # the caller is told that it failed, the effect happens at `release_late`
    LATE = "late"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One failure to come: of `method` (an RPC's name or `*`), with `code`, and a hint when to retry if given.

    held_s: how long the caller waits for it, longer than its own patience where the answer is never to come.
    """

    method: str
    code: grpc.StatusCode
    when: When = When.BEFORE
    retry_after_s: float | None = None
    held_s: float = 0.0

    def refusal(self) -> Refusal:
        """What the caller is told."""
        if self.retry_after_s is not None:
            hint = exhausted("injected", "injected", self.retry_after_s)
            return Refusal(self.code, hint.message, *hint.details)
        return Refusal(self.code, f"{self.code.name} injected by a switch of the sandbox.")


@dataclass
class Switches:
    """The present settings; the server reads them under its lock at every call."""

    lag: Lag = field(default_factory=Lag)
    # identities (metadata `x-keyturn-identity`, "anonymous" without it) that are refused everything; `*` is everyone
    denied: set[str] = field(default_factory=set)
    # every call is refused with this RetryInfo while it is a number
    throttled_retry_s: float | None = None
    # the documented rates are enforced
    quotas: bool = False
    # every call is UNAVAILABLE before this moment of the server's clock
    down_until: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    parked: list[Callable[[], object]] = field(default_factory=list)

    def fail_next(
        self,
        method: str,
        code: grpc.StatusCode,
        *,
        when: When = When.BEFORE,
        count: int = 1,
        retry_after_s: float | None = None,
    ) -> None:
        """Fail the next `count` calls of `method`, once each, before, after or long before their effect."""
        fault = Fault(method=method, code=code, when=when, retry_after_s=retry_after_s)
        self.faults.extend([fault] * count)

    def take(self, method: str) -> Fault | None:
        """The fault that hits this call, used up; None when the call is spared."""
        for at, fault in enumerate(self.faults):
            if fault.method in (method, ANY):
                return self.faults.pop(at)
        return None

    def refuses(self, identity: str) -> bool:
        """True when this identity is denied."""
        return bool(self.denied & {identity, ANY})
