"""Events between us and a partner while a key rotates: every one is checked, those on their way included.

Our service has two instances, each with the one key that it read last: the prompt one reads before every event, the
late one only when it is told to. That is the least that a consumer may do; one that also knows the key before is safer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from rotation.issuers import webhook_signature as webhooks
from sandbox.targets.web import Call, Refusal
from sandbox.targets.webhooks import Endpoints

# Events that are on their way at any time: signed before a change, they arrive after it.
ON_THE_WAY = 3


class Traffic:
    """`reads` gives the key that readers of the store get now. refused: who, and how, in order."""

    def __init__(self, partner: Endpoints, endpoint: str, reads: Callable[[], bytes], *, sends: bool) -> None:
        self._partner, self._endpoint, self._reads = partner, endpoint, reads
        self._sends = sends
        self._late = reads()
        self._flying: deque[Callable[[], str]] = deque()
        self.events = 0
        self.refused: list[str] = []

    def refresh(self) -> None:
        """The late instance reads as well."""
        self._late = self._reads()

    def flow(self) -> None:
        """One event of each instance is sent, and those that are due arrive."""
        for who, key in (("prompt", self._reads()), ("late", self._late)):
            self._flying.append(self._ours(who, key) if self._sends else self._theirs(who))
        self._arrive(ON_THE_WAY)

    def land(self) -> None:
        """Everything arrives."""
        self._arrive(0)

    def _arrive(self, leaving: int) -> None:
        while len(self._flying) > leaving:
            self.events += 1
            if said := self._flying.popleft()():
                self.refused.append(said)

    def _ours(self, who: str, key: bytes) -> Callable[[], str]:
        """An event that we send; the partner verifies it when it arrives."""
        event = webhooks.Webhook(id=f"evt_{self.events}_{len(self._flying)}", timestamp=int(self._now), body=b"{}")
        headers = webhooks.sign([key], event)

        def arrive() -> str:
            try:
                self._partner.deliver(self._call(headers=headers, raw=event.body))
            except Refusal as exc:
                return f"{who}: {exc.error}"
            return ""

        return arrive

    def _theirs(self, who: str) -> Callable[[], str]:
        """An event that the partner sends; the instance that it meets verifies it with the key of that moment."""
        sent = self._partner.test(self._call(body={"challenge": "00"}))

        def arrive() -> str:
            key = self._reads() if who == "prompt" else self._late
            try:
                webhooks.verify([key], sent["headers"], sent["body"].encode(), self._now)
            except webhooks.Unverified as exc:
                return f"{who}: {exc.reason}"
            return ""

        return arrive

    @property
    def _now(self) -> float:
        return self._partner._clock()

    def _call(self, **given: Any) -> Call:
        return Call(names={"endpoint": self._endpoint}, query={}, bearer="", **{"body": {}, **given})
