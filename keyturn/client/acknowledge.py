"""Tells Keyturn which version this instance really uses, and goes on telling, as a lease.

An instance that stops renewing is unknown when its lease has run out, and unknown is never verified: so nothing is sent
on `close`, and a crash needs no handling. While a cache moves from one version to the next the lease of the old one is
renewed: that is what is in use. Keyturn hears one word of each secret and instance: where several caches of a process
serve the same secret, the last of them to move decides. How the message travels is the caller's (`transports`); who
sent it is known from its signature, never from a field of it.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Collection, Mapping
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
# What a user says of a secret: Keyturn's id ("" where no event gave one) and the store's; None until it has said it.
_Said = tuple[str, str] | None


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
        # by secret and by who uses it
        self._said: dict[str, dict[object, _Said]] = {}
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

    def join(self, secret: str, user: object) -> None:
        """Wait for this user of the secret, too, before another version is told."""
        with self._changed:
            self._said.setdefault(secret, {}).setdefault(user, None)

    def using(self, secret: str, version: str, store_version: str = "", user: object = None) -> None:
        """This version is in use by everything of this user. Told once all users say the same, renewed until the next.

        version: Keyturn's id; "" while no event has named it, and then it is told as the store calls it.
        """
        with self._changed:
            self._said.setdefault(secret, {})[user] = (version, store_version)
            self._lease(secret)

    def leave(self, secret: str, user: object) -> None:
        """It uses the secret no more, and nobody waits for it; with the last one the lease is left to run out."""
        with self._changed:
            said = self._said.get(secret, {})
            said.pop(user, None)
            if said:
                self._lease(secret)
            else:
                self._leases.pop(secret, None)
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

    def _lease(self, secret: str) -> None:
        """Tell what all users of the secret agree on, unless it is told already; until they do, what was told stays."""
        said, known = _agreed(self._said[secret].values()), self._leases.get(secret)
        if self._closed or said is None or (known is not None and (known.version, known.store_version) == said):
            return
        self._leases[secret] = _Lease(version=said[0], store_version=said[1], due=self._timer())
        if self._thread is None:
            self._started.here()
            self._thread = threading.Thread(target=self._run, name="keyturn acknowledgements", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _run(self) -> None:
        while (due := self._wait()) is not None:
            secret, lease = due
            self._tell(secret, lease)

    def _wait(self) -> tuple[str, _Lease] | None:
        """The lease whose time has come; None at the end."""
        with self._changed:
            while not self._closed:
                if not self._leases:
                    self._changed.wait()
                    continue
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
        except Exception as exc:  # noqa: BLE001 - whatever `send` raises: a thread that ended would never tell again
            self.failed += 1
            reason = exc.reason if isinstance(exc, ClientError) else type(exc).__name__
            _log.warning("%s: the acknowledgement was not accepted (%s)", secret, reason)
            lease.due = self._timer() + lease.retry_s
            lease.retry_s = min(2 * lease.retry_s, LONGEST_RETRY_S)
        else:
            self.sent += 1
            lease.due, lease.retry_s = self._timer() + self._lease_s / RENEWALS, FIRST_RETRY_S


def _agreed(said: Collection[_Said]) -> tuple[str, str] | None:
    """What is told when all say the same version, by Keyturn's id where one knows it; None while they differ."""
    known = [one for one in said if one is not None]
    if len(known) < len(said) or len({store_version or version for version, store_version in known}) != 1:
        return None
    version = next((version for version, _ in known if version), "")
    return version, "" if version else known[0][1]
