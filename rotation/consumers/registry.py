"""The channels of a stack by name, from a function's environment; nothing else of the consumers reads variables.

KEYTURN_EVENTS_REDIS (`host:port` or empty), KEYTURN_EVENTS_REDIS_TLS, KEYTURN_EVENTS_AUTHORITY (where the publisher's
login lies in the function's own store), KEYTURN_EVENTS_QUEUE_URL, KEYTURN_EVENTS_KEY. What is empty is no channel.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from rotation import aws_client
from rotation.calls import Breaker, Caller, Kind, Meter
from rotation.consumers.channel import FAILED, NOT_CONFIGURED, SENT, Channel
from rotation.consumers.event import Fields, Notice
from rotation.consumers.redis import RedisChannel
from rotation.consumers.redis_link import RedisLink, address, translate
from rotation.consumers.rq import RqChannel
from rotation.consumers.signing import KmsSigner
from rotation.consumers.sqs import SqsChannel
from rotation.contract import SecretRef, SecretStore
from rotation.environment import caller, needed
from rotation.errors import KeyturnError, Refused
from rotation.value import SecretValue

_LOG = logging.getLogger("keyturn")
# Signing and sending are small requests; three attempts and a promotion before them have to fit a function's minute.
_TIMEOUT_S = 2


@dataclass(frozen=True, kw_only=True)
class Ways:
    """What is configured: how an event is signed, the channels by name, and how their connection is given back."""

    sign: Callable[[Notice], Fields]
    channels: Mapping[str, Channel]
    close: Callable[[], None]


class StackAnnouncer:
    """Signs once and sends on every channel that is asked for; one that fails does not keep another from it.

    `ways` makes the clients, when the first event is sent: a phase that tells nobody does not pay for them.
    """

    def __init__(self, stack: str, ways: Callable[[], Ways]) -> None:
        self.stack = stack
        self._ways = ways

    def announce(self, notice: Notice, channels: Iterable[str]) -> Mapping[str, str]:
        """As `Announcer`; a signature or a configuration that fails fails every channel."""
        wanted, made = list(channels), list[Ways]()
        how = _tried("configuration", lambda: made.append(self._ways()))
        return self._told(made[0], notice, wanted) if made else dict.fromkeys(wanted, how)

    def _told(self, ways: Ways, notice: Notice, wanted: list[str]) -> dict[str, str]:
        told = dict.fromkeys(wanted, NOT_CONFIGURED)
        there = [name for name in wanted if name in ways.channels]
        if not there:
            return told
        signed = list[Fields]()
        how = _tried("signature", lambda: signed.append(ways.sign(notice)))
        for name in there:
            told[name] = _tried(name, partial(ways.channels[name].send, signed[0])) if signed else how
        ways.close()
        return told


def _tried(what: str, send: Callable[[], object]) -> str:
    try:
        send()
    except KeyturnError as exc:
        reason = exc.reason
    except Exception as exc:  # noqa: BLE001 - a defect in telling consumers must not undo what they are told of
        reason = f"defect_{type(exc).__name__}"
    else:
        return SENT
    _LOG.warning("an event was not sent", extra={"fields": {"channel": what, "reason": reason}})
    return f"{FAILED}{reason}"


def from_env(environment: Mapping[str, str], store: SecretStore, meter: Meter, breaker: Breaker) -> StackAnnouncer:
    """The announcer of one invocation; clients of AWS are kept for the life of the process."""
    return StackAnnouncer(
        environment.get("KEYTURN_STACK", ""), partial(_configured, environment, store, meter, breaker)
    )


def _configured(environment: Mapping[str, str], store: SecretStore, meter: Meter, breaker: Breaker) -> Ways:
    key, queue_url = environment.get("KEYTURN_EVENTS_KEY", ""), environment.get("KEYTURN_EVENTS_QUEUE_URL", "")
    if not key:
        return Ways(sign=_unsigned, channels={}, close=_nothing)
    signer = KmsSigner(_client("kms"), key, caller("kms", meter, breaker))
    link = _link(environment, store, meter, breaker) if environment.get("KEYTURN_EVENTS_REDIS") else None
    channels: dict[str, Channel] = {}
    if link:
        stack = needed(environment, "KEYTURN_STACK")
        channels |= {"redis": RedisChannel(link, stack), "rq": RqChannel(link, stack)}
    if queue_url:
        channels["sqs"] = SqsChannel(_client("sqs"), queue_url, caller("sqs", meter, breaker))
    return Ways(sign=signer.sign, channels=channels, close=link.close if link else _nothing)


def _link(environment: Mapping[str, str], store: SecretStore, meter: Meter, breaker: Breaker) -> RedisLink:
    where = address(environment["KEYTURN_EVENTS_REDIS"], environment.get("KEYTURN_EVENTS_REDIS_TLS", "verify"))
    ref = SecretRef(store=store.name, path=needed(environment, "KEYTURN_EVENTS_AUTHORITY"))
    own = Caller("redis", translate=translate, meter=meter, breaker=breaker, sleep=time.sleep)
    return RedisLink(where, partial(_authority, store, ref, meter), own)


def _authority(store: SecretStore, ref: SecretRef, meter: Meter) -> SecretValue:
    with meter.counted_as(Kind.AUTHORITY):
        return store.read_live(ref)[1]


def _nothing() -> None:
    """No connection to give back."""


def _unsigned(notice: Notice) -> Fields:
    raise Refused("configuration", f"there is no key to sign the event {notice.id} with", "deploy again")


@cache
def _client(service: str) -> Any:
    return aws_client.client(service, read_timeout_s=_TIMEOUT_S)
