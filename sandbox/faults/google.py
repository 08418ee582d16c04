"""Faults of Google Secret Manager: the switches of the sandbox's own server, which speaks gRPC's words itself."""

from __future__ import annotations

from sandbox.faults.contract import Hit
from sandbox.google.remote import calls, set_switches, timed_calls
from sandbox.google.switches import ANY, When

SERVED = "OK"
# what a caller is told: google.rpc.Code
THROTTLED, LOST = "RESOURCE_EXHAUSTED", "UNAVAILABLE"


class GoogleFaults:
    """Operations are names of RPCs, such as `UpdateSecret`. Every caller is hit, a test's own reader too."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def throttle(self, next_n: int, retry_after_s: float | None = None) -> None:
        """RESOURCE_EXHAUSTED, with RetryInfo."""
        fault = {"method": ANY, "code": THROTTLED, "count": next_n, "retry_after_s": retry_after_s}
        set_switches(self._endpoint, fail_next=fault)

    def down_for(self, seconds: float) -> None:
        """UNAVAILABLE."""
        set_switches(self._endpoint, down_for=seconds)

    def recover(self) -> None:
        """Up again."""
        set_switches(self._endpoint, down_for=0)

    def apply_then_drop(self, operation: str, held_s: float = 0.0) -> None:
        """UNAVAILABLE after the effect: what gRPC tells a caller whose connection ended."""
        fault = {"method": operation, "code": LOST, "when": When.AFTER.value, "held_s": held_s}
        set_switches(self._endpoint, fail_next=fault)

    def clear(self) -> None:
        """Forget faults and journal."""
        set_switches(self._endpoint, forget_faults=True)
        calls(self._endpoint, clear=True)

    def hits(self) -> list[Hit]:
        """The calls that ended with one of the codes above."""
        return [
            Hit(at=call["at"], operation=call["method"])
            for call in timed_calls(self._endpoint)
            if call["code"] in (THROTTLED, LOST)
        ]

    def calls(self) -> int:
        """The length of the server's journal."""
        return len(calls(self._endpoint))
