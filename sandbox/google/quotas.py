"""The service's request rates, enforced over sliding windows on the server's clock; off until a switch turns them on.

Source: Secret Manager docs, 'Quotas and limits' (secret-manager/quotas), rows for global secrets. The real per-secret
and per-version limits are "soft-enforced"; here they are hard, which is the safe side for a client under test.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from enum import StrEnum

from sandbox.google.refusals import exhausted

_SECOND = 1.0
_MINUTE = 60.0


class Kind(StrEnum):
    """What a call counts as, in the quota page's words."""

    ACCESS = "Access"
    READ = "Read"
    WRITE = "Write"


@dataclass(frozen=True)
class Rate:
    """At most `calls` in any window of `seconds`."""

    calls: int
    seconds: float


# per project
_PROJECT = {Kind.ACCESS: Rate(90_000, _MINUTE), Kind.READ: Rate(600, _MINUTE), Kind.WRITE: Rate(600, _MINUTE)}
# per global secret: 2 qps and 120 qpm
_SECRET = (Rate(2, _SECOND), Rate(120, _MINUTE))
_SECRET_METHODS = frozenset({"AddSecretVersion", "UpdateSecret"})
# per version of a global secret: 1 qps and 60 qpm
_VERSION = (Rate(1, _SECOND), Rate(60, _MINUTE))
_VERSION_METHODS = frozenset({"EnableSecretVersion", "DisableSecretVersion", "DestroySecretVersion"})


class Quotas:
    """What was spent lately, per project, secret and version. A refused call spends nothing."""

    def __init__(self) -> None:
        self._spent: defaultdict[tuple[str, Rate], deque[float]] = defaultdict(deque)

    def spend(self, method: str, kind: Kind, resource: str, now: float) -> None:
        """Count one call; RESOURCE_EXHAUSTED with the time until the window has room again."""
        rules = _rules(method, kind, resource)
        for scope, rate in rules:
            wait = self._wait(scope, rate, now)
            if wait > 0:
                unit = "second" if rate.seconds == _SECOND else "minute"
                raise exhausted(f"{kind} requests", f"{kind} requests per {unit}", wait)
        for rule in rules:
            self._spent[rule].append(now)

    def _wait(self, scope: str, rate: Rate, now: float) -> float:
        times = self._spent[scope, rate]
        while times and times[0] <= now - rate.seconds:
            times.popleft()
        return times[0] + rate.seconds - now if len(times) >= rate.calls else 0.0


def _rules(method: str, kind: Kind, resource: str) -> list[tuple[str, Rate]]:
    project = "/".join(resource.split("/")[:2])
    rules = [(f"{project} {kind}", _PROJECT[kind])]
    if method in _SECRET_METHODS:
        rules += [(resource, rate) for rate in _SECRET]
    if method in _VERSION_METHODS:
        rules += [(resource, rate) for rate in _VERSION]
    return rules
