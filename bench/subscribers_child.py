"""Subscribers as services have them: a cache, a listener and an acknowledger each, many in one process.

Run by `subscribers` with its configuration on standard input; ends when that is closed. Not here: any measurement. A
subscriber's acknowledgement is timed where it arrives.
"""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from typing import Any

import hvac
from botocore.session import Session

from keyturn.client import Acknowledger, SecretCache
from keyturn.client.listeners.redis_events import RedisEvents
from keyturn.client.settings import Settings
from keyturn.client.sources.vault import VaultSource
from keyturn.client.transports.signed_endpoint import SignedEndpoint


def subscriber(given: dict[str, Any], number: int, session: Session, opened: ExitStack) -> None:
    """One, until `opened` is closed."""
    told = Settings.from_json(given["events"])
    source = VaultSource(hvac.Client(url=given["vault"], token=given["token"]), given["path"])
    events = RedisEvents.from_url(given["redis_url"], told.stack)
    send = SignedEndpoint(given["endpoint"], "us-east-1", session=session)
    ack = opened.enter_context(Acknowledger(send, consumer=given["consumer"], instance=f"subscriber-{number}"))
    cache = SecretCache(
        given["secret"],
        source,
        stack=told.stack,
        keys=told.keys,
        events=events,
        ack=ack,
        poll_s=given["poll_s"],
    )
    opened.enter_context(cache)


def main() -> None:
    """All of them, until standard input is closed."""
    given = json.loads(sys.stdin.readline())
    session = Session()
    session.set_credentials("test", "test")
    with ExitStack() as opened:
        for number in range(given["first"], given["first"] + given["count"]):
            subscriber(given, number, session, opened)
        sys.stdin.read()


if __name__ == "__main__":
    main()
