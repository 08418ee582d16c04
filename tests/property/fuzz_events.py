"""Fuzzed and forged events: not one is accepted, and no genuine one is refused while signing keys overlap.

Every event starts as a genuine one of the old or the new key, which has to be accepted as it is; then something is done
to it that a transport, a stranger or a holder of another key could do. The same seed gives the same run, but for the
keys. Called with 10,000 by the tests and with a million by the campaign.
"""

from __future__ import annotations

import base64
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from keyturn.client.keys import KeyRing
from keyturn.client.verify import FUTURE_S, MAX_AGE_S, Expected, Refusal, verify
from tests.property.event_maker import (
    NEW_KEY,
    NOW,
    OLD_KEY,
    SECRET,
    STACK,
    STRANGER,
    event,
    private_key,
    signed,
    trusted,
    unsigned,
)

Document = dict[str, Any]
# Genuine events are made once and changed often: a signature costs more than a look at one.
_GENUINE = 64


@dataclass
class Fuzzed:
    """What came of a run: how each forgery was refused, and what went wrong."""

    refused: Counter[str] = field(default_factory=Counter)
    genuine: int = 0
    accepted: list[str] = field(default_factory=list)
    wrongly_refused: list[str] = field(default_factory=list)


def fuzz_events(count: int, seed: int) -> Fuzzed:
    """`count` forgeries, and as many genuine events between them."""
    chance, found = random.Random(seed), Fuzzed()  # noqa: S311 - repeatable, guards nothing
    expected = Expected(stack=STACK, secret=SECRET, keys=KeyRing(trusted()))
    pool = [_genuine(chance) for _ in range(_GENUINE)]
    forgeries = list(_FORGERIES.items())
    for _ in range(count):
        document = chance.choice(pool)
        name, forge = chance.choice(forgeries)
        raw = forge(document, chance)
        if (reason := _refusal(raw, expected)) is None:
            found.accepted.append(f"{name}: {raw!r}")
        else:
            found.refused[f"{name}: {reason}"] += 1
        found.genuine += 1
        if (reason := _refusal(json.dumps(document), expected)) is not None:
            found.wrongly_refused.append(reason)
    return found


def _refusal(raw: Any, expected: Expected) -> str | None:
    try:
        verify(raw, expected, NOW)
    except Refusal as refusal:
        return refusal.reason
    return None


def _genuine(chance: random.Random) -> Document:
    kind = chance.choice(("promoted", "rolled_back", "retired"))
    at = NOW + chance.uniform(-MAX_AGE_S + 1, FUTURE_S - 1)
    return event(chance.randrange(1, 1000), at=at, kind=kind, key_id=chance.choice((OLD_KEY, NEW_KEY)))


def _bit(document: Document, chance: random.Random) -> bytes:
    """One bit of the text is turned over."""
    raw = bytearray(json.dumps(document).encode())
    while True:
        at = chance.randrange(len(raw))
        turned = bytes([*raw[:at], raw[at] ^ (1 << chance.randrange(8)), *raw[at + 1 :]])
        # white space between fields may change: the event is the same
        if _loaded(turned) != document:
            return turned


def _loaded(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _cut(document: Document, chance: random.Random) -> bytes:
    raw = json.dumps(document).encode()
    return raw[: chance.randrange(len(raw))]


def _field(document: Document, chance: random.Random) -> Document:
    """One signed field says something else, of whatever type."""
    name = chance.choice(sorted(document.keys() - {"signature"}))
    other = chance.choice(
        [
            f"{document[name]}x",
            "",
            None,
            1.5,
            -1,
            2**60,
            True,
            [],
            {},
            "\ud800",
            "\x00",
            "9" * 9000,
            ["a"],
            chance.random(),
        ]
    )
    return {**document, name: other}


def _signature(document: Document, chance: random.Random) -> Document:
    made = base64.urlsafe_b64decode(document["signature"] + "==")
    other = chance.choice(
        [
            "",
            document["signature"] + "=",
            document["signature"] + "A",
            document["signature"][::-1],
            base64.urlsafe_b64encode(chance.randbytes(len(made))).rstrip(b"=").decode(),
            base64.urlsafe_b64encode(made + b"\0").rstrip(b"=").decode(),
            base64.urlsafe_b64encode(bytes(8)).rstrip(b"=").decode(),
            "MAYCAQACAQA",
            "MAYCAQECAQE",
        ]
    )
    return {**document, "signature": other}


def _missing(document: Document, chance: random.Random) -> Document:
    gone = chance.choice(sorted(document))
    return {name: part for name, part in document.items() if name != gone}


def _added(document: Document, chance: random.Random) -> Document:
    """A field more, rightly signed."""
    return signed({**_bare(document), chance.choice(("value", "except", "")): "x"})


def _twice(document: Document, chance: random.Random) -> str:
    """A field that is said twice, once as signed."""
    name = chance.choice(sorted(document))
    return json.dumps(document)[:-1] + f', "{name}": {json.dumps(document[name])}}}'


def _resigned(document: Document, chance: random.Random) -> Document:
    """A holder of a trusted key says what it may not: another schema, stack, secret, moment, kind or identity."""
    change: Document = chance.choice(
        [
            {"schema": "keyturn.invalidation/2"},
            {"schema": "keyturn.invalidation"},
            {"stack": "prod"},
            {"secret": "payments/other"},
            {"kind": "revoked"},
            {"sequence": -chance.randrange(1, 99)},
            {"version": "latest"},
        ]
    )
    return signed(unsigned(chance.randrange(1, 99), **change))


def _untimely(document: Document, chance: random.Random) -> Document:
    away = chance.uniform(1, 10**8)
    return event(at=chance.choice((NOW - MAX_AGE_S - away, NOW + FUTURE_S + away)))


def _misnamed(document: Document, chance: random.Random) -> Document:
    return signed({**_bare(document), "id": f"{chance.getrandbits(128):032x}"})


def _stranger(document: Document, chance: random.Random) -> Document:
    """A key that nobody trusts, by its own name or by a trusted one; or a trusted key by the other's name."""
    mine = _bare(document)
    other = OLD_KEY if mine["key_id"] == NEW_KEY else NEW_KEY
    return chance.choice(
        [
            lambda: signed({**mine, "key_id": STRANGER}),
            lambda: signed(mine, by=STRANGER),
            lambda: signed(mine, by=other),
            lambda: {**document, "key_id": other},
        ]
    )()


def _spliced(document: Document, chance: random.Random) -> Document:
    """The signature of another genuine event."""
    number = chance.randrange(1000, 2000)
    return {**document, "signature": event(number)["signature"]}


def _noise(document: Document, chance: random.Random) -> bytes:
    return chance.choice(
        [
            chance.randbytes(chance.randrange(400)),
            b"[" * 5000,
            b"null",
            b"[]",
            b'"x"',
            b"1e999",
            b"{}",
            b" " * 9000,
            b"NaN",
        ]
    )


def _bare(document: Document) -> Document:
    return {name: part for name, part in document.items() if name != "signature"}


_FORGERIES: dict[str, Callable[[Document, random.Random], Any]] = {
    "bit": _bit,
    "cut": _cut,
    "field": _field,
    "signature": _signature,
    "missing": _missing,
    "added": _added,
    "twice": _twice,
    "resigned": _resigned,
    "untimely": _untimely,
    "misnamed": _misnamed,
    "stranger": _stranger,
    "spliced": _spliced,
    "noise": _noise,
}
# made before the first use, so that a seed alone decides the run
private_key(STRANGER)
