"""Tells Keyturn which version this instance really uses, and goes on telling, as a lease.

An instance that stops renewing is unknown when its lease has run out, and unknown is never verified: so nothing is sent
on `close`, and a crash needs no handling. While a cache moves from one version to the next the lease of the old one is
renewed: that is what is in use. How the message travels is the caller's (`transports`); who sent it is known from its
signature, never from a field of it.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from keyturn.client.errors import ClientError
from keyturn.client.processes import Process

_log = logging.getLogger(__name__)

Send = Callable[[Mapping[str, Any]], None]

# An instance that died is forgotten after this, and delays a retirement for no longer.
LEASE_S = 300
# Two renewals may be lost before a lease runs out.
RENEWALS = 3
# After a message that did not arrive: first pause and longest.
FIRST_RETRY_S, LONGEST_RETRY_S = 0.5, 30.0
# Tells the instances of one host and process number apart, after a restart too.
_SUFFIX_BYTES = 4
# More than one message takes at its slowest.
_JOIN_S = 15.0


def this_instance() -> str:
    """Host, process number and a random suffix."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(_SUFFIX_BYTES)}"


@dataclass(kw_only=True)
class _Lease:
    """What is said of one secret, and when next (by the timer). store_version: told where no event gave a name."""

    version: str
    due: float
    store_version: str = ""
    retry_s: float = FIRST_RETRY_S


class Acknowledger:
    """One per process serves all its caches. `send` raises ClientError when the message was not accepted.

    consumer: as the policy names it. sent and failed count messages.
    """

    def __init__(
        self,
        send: Send,
        *,
        consumer: str,
        instance: str = "",
        lease_s: int = LEASE_S,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self.consumer = consumer
        self.sent = self.failed = 0
        self._instance, self._named, self._started = instance, (0, ""), Process()
        self._send, self._lease_s, self._timer = send, lease_s, timer
        self._leases: dict[str, _Lease] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def instance(self) -> str:
        """The name given, or one of this process: one that was forked is another instance."""
        if not self._instance and self._named[0] != os.getpid():
            self._named = (os.getpid(), this_instance())
        return self._instance or self._named[1]

    def check_process(self) -> None:
        """ClientError `forked`, where its thread runs in the process that forked this one."""
        self._started.check("acknowledger")

    def using(self, secret: str, version: str, store_version: str = "") -> None:
        """This version is in use by everything here. Told at once, and renewed until the next.

        version: Keyturn's id; "" while no event has named it, and then it is told as the store calls it.
        """
        with self._changed:
            known = self._leases.get(secret)
            said = (version, "" if version else store_version)
            if self._closed or (known is not None and (known.version, known.store_version) == said):
                return
            self._leases[secret] = _Lease(version=version, store_version=said[1], due=self._timer())
            if self._thread is None:
                self._started.here()
                self._thread = threading.Thread(target=self._run, name="keyturn acknowledgements", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def close(self) -> None:
        """Renew no more; the leases run out by themselves."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(_JOIN_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _run(self) -> None:
        while (due := self._wait()) is not None:
            secret, lease = due
            self._tell(secret, lease)

    def _wait(self) -> tuple[str, _Lease] | None:
        """The lease whose time has come; None at the end."""
        with self._changed:
            while not self._closed:
                secret, lease = min(self._leases.items(), key=lambda item: item[1].due)
                if (wait := lease.due - self._timer()) <= 0:
                    return secret, lease
                self._changed.wait(wait)
        return None

    def _tell(self, secret: str, lease: _Lease) -> None:
        named = {"secret": secret, "consumer": self.consumer, "instance": self.instance}
        used = {"version": lease.version} if lease.version else {"store_version": lease.store_version}
        try:
            self._send({**named, **used, "lease_s": self._lease_s})
        except ClientError as exc:
            self.failed += 1
            _log.warning("%s: the acknowledgement was not accepted (%s)", secret, exc.reason)
            lease.due = self._timer() + lease.retry_s
            lease.retry_s = min(2 * lease.retry_s, LONGEST_RETRY_S)
        else:
            self.sent += 1
            lease.due, lease.retry_s = self._timer() + self._lease_s / RENEWALS, FIRST_RETRY_S
