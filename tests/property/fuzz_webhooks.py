"""Webhooks fuzzed and forged while keys rotate: none is accepted, and no valid one is refused, in either direction.

Three readers are held against each other: ours, the partner's, and for valid ones the reference implementation. Only
who has a key may be believed, so every forgery is made without one: from what was overheard, from keys that are retired
and from those of strangers.
"""

from __future__ import annotations

import base64
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from standardwebhooks.webhooks import Webhook as Reference

from rotation.issuers import webhook_signature as webhooks
from sandbox.targets.web import Call, Refusal
from sandbox.targets.webhooks import Endpoints
from tests.model.http_targets import MemorySnapshot

ENDPOINT = "fuzzed"
# Webhooks of one moment of a rotation: long enough that each meets every kind, short enough for many rotations.
PER_MOMENT = 20
# Webhooks of one seed: then a new partner, which remembers nothing, and a new clock, which is read once.
PER_ROUND = 10_000
# Of a hundred webhooks as many are valid.
VALID_PERCENT = 30
# What a retired key, or anybody's, may sign, without being believed.
_RETIRED_KEPT = 3


@dataclass(frozen=True)
class Wire:
    """A webhook as it arrives."""

    headers: Mapping[str, str]
    body: bytes

    def with_header(self, name: str, text: str) -> Wire:
        return replace(self, headers={**self.headers, name: text})


@dataclass
class Keys:
    """Who knows which keys: the partner's list, and what our instances hold, in the order of a run."""

    chance: random.Random
    partner: list[bytes] = field(default_factory=list)
    ours: list[list[bytes]] = field(default_factory=list)
    retired: list[bytes] = field(default_factory=list)
    moment: int = 0

    def __post_init__(self) -> None:
        first = self.fresh()
        self.partner, self.ours = [first], [[first]]

    def fresh(self) -> bytes:
        size = self.chance.randint(webhooks.LEAST_KEY_BYTES, webhooks.MOST_KEY_BYTES)
        return self.chance.randbytes(size)

    def advance(self) -> None:
        """The next moment: applied, promoted (some instances are late), everybody has read it, retired."""
        self.moment = (self.moment + 1) % 4
        if self.moment == 1:
            self.partner = [*self.partner, self.fresh()]
        elif self.moment == 2:
            old, new = self.partner
            # one that knows both, one that knows the new one, and a late one
            self.ours = [[new, old], [new], [old]]
        elif self.moment == 3:
            old, new = self.partner
            self.ours = [[new, old], [new]]
        else:
            old, new = self.partner
            self.retired = [*self.retired, old][-_RETIRED_KEPT:]
            self.partner, self.ours = [new], [[new]]


class Fuzz:
    """One seed. `kinds` counts what was made; AssertionError names kind, number and seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - a seeded test
        self.now = int(time.time())
        self.keys = Keys(self.chance)
        self.kinds: Counter[str] = Counter()
        self._seed, self._generation = seed, 0
        self._endpoints = Endpoints(MemorySnapshot(), lambda: self.now)  # type: ignore[arg-type]  # all that it needs of a path
        self._overheard: list[Wire] = []
        self._taken: list[Wire] = []
        self._set_partner([])

    def step(self, number: int) -> None:
        """One webhook, in one direction."""
        if number % PER_MOMENT == PER_MOMENT - 1:
            before = self.keys.partner
            self.keys.advance()
            self._set_partner(before)
        to_us = self.chance.random() < 0.5
        valid = self._valid(to_us=to_us)
        if self.chance.randrange(100) < VALID_PERCENT:
            self._check("valid", valid, to_us=to_us, accepted=True, number=number)
            self._overheard = [*self._overheard, valid][-PER_MOMENT:]
            return
        kind = self.chance.choice(sorted(FORGERIES))
        forged = FORGERIES[kind](self, valid)
        self._check(kind, forged, to_us=to_us, accepted=False, number=number)

    def replay(self, number: int) -> None:
        """What the partner took it takes once, though the signature is as good as ever."""
        live = set(self.keys.partner)
        for wire in self._taken:
            if self._signed_by(wire, live):
                self.kinds["replayed"] += 1
                answer = self._endpoints.deliver(self._call(wire))
                assert answer["duplicate"], self._told("replayed", number)
        self._taken = []

    def _signed_by(self, wire: Wire, keys: set[bytes]) -> bool:
        try:
            webhooks.verify([*keys], wire.headers, wire.body, self.now)
        except webhooks.Unverified:
            return False
        return True

    def _valid(self, *, to_us: bool) -> Wire:
        """As whoever sends in this direction signs: the partner with its whole list, we with all or the first."""
        instance = self.chance.choice(self.keys.ours)
        signers = self.keys.partner if to_us else instance[: self.chance.choice((1, len(instance)))]
        return self.signed(signers)

    def signed(self, keys: list[bytes], *, age: int = 0) -> Wire:
        """A webhook of any look, signed with all of `keys`."""
        identifier = f"msg_{self.chance.getrandbits(64):x}"
        drift = self.chance.randint(-webhooks.TOLERANCE_S, webhooks.TOLERANCE_S)
        body = self.chance.choice((b"", b"{}", b'{"type":"a.b"}', "é".encode() * self.chance.randrange(40)))
        event = webhooks.Webhook(id=identifier, timestamp=self.now + (age or drift), body=body)
        return Wire(webhooks.sign(keys, event), body)

    def _check(self, kind: str, wire: Wire, *, to_us: bool, accepted: bool, number: int) -> None:
        self.kinds[kind] += 1
        # forgeries are shown to both, whoever they were made for
        if to_us or not accepted:
            for held in self.keys.ours:
                assert self._we_accept(wire, held) is accepted, self._told(f"{kind}, by us", number)
        if not (to_us and accepted):
            assert self._partner_accepts(wire) is accepted, self._told(f"{kind}, by the partner", number)
        if accepted:
            # some key of the other side is among the signatures, as the reference reads them too
            readers = self.keys.ours[0] if to_us else self.keys.partner
            assert any(self._reference_accepts(wire, key) for key in readers), self._told(f"{kind}, reference", number)

    def _told(self, what: str, number: int) -> str:
        return f"{what}: webhook {number} of the seed {self._seed}"

    def _we_accept(self, wire: Wire, keys: list[bytes]) -> bool:
        try:
            webhooks.verify(keys, wire.headers, wire.body, self.now)
        except webhooks.Unverified:
            return False
        return True

    def _partner_accepts(self, wire: Wire) -> bool:
        try:
            duplicate = self._endpoints.deliver(self._call(wire))["duplicate"]
        except Refusal:
            return False
        if not duplicate:
            self._taken.append(wire)
        return not duplicate

    def _reference_accepts(self, wire: Wire, key: bytes) -> bool:
        # its clock is its own: webhooks at the edge of the tolerance may have aged
        if abs(int(wire.headers["webhook-timestamp"]) - time.time()) > webhooks.TOLERANCE_S - 1:
            return True
        try:
            Reference(webhooks.encode_key(key)).verify(wire.body, dict(wire.headers), json_parse=False)
        except Exception:  # noqa: BLE001 - whatever it raises, it does not accept
            return False
        return True

    def _call(self, wire: Wire) -> Call:
        return Call({"endpoint": ENDPOINT}, {}, {}, "", wire.body, dict(wire.headers))

    def _set_partner(self, before: list[bytes]) -> None:
        """Bring the partner's list to what `keys` says, as the authority would."""
        self._generation += 1
        for verb, keys in ((self._endpoints.delete, before), (self._endpoints.put, self.keys.partner)):
            for key in keys:
                if (key in before) != (key in self.keys.partner):
                    verb(self._authority_call(key))

    def _authority_call(self, key: bytes) -> Call:
        names = {"endpoint": ENDPOINT, "key": key.hex()[:32]}
        body: dict[str, Any] = {"key": webhooks.encode_key(key), "generation": self._generation}
        return Call(names, {"generation": str(self._generation)}, body, "")

    def overheard(self, otherwise: Wire) -> Wire:
        return self.chance.choice(self._overheard) if self._overheard else otherwise


def _flip(content: bytes, chance: random.Random) -> bytes:
    if not content:
        return b"x"
    at = chance.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << chance.randrange(8))]) + content[at + 1 :]


def _entries(wire: Wire, change: Callable[[str], str]) -> Wire:
    """Every entry of the signature changed."""
    return wire.with_header(webhooks.SIGNATURE, " ".join(map(change, wire.headers[webhooks.SIGNATURE].split(" "))))


def _flipped_entry(entry: str, chance: random.Random) -> str:
    version, _, mac = entry.partition(",")
    return f"{version},{base64.b64encode(_flip(base64.b64decode(mac), chance)).decode()}"


def _noise(fuzz: Fuzz) -> str:
    return "".join(
        chr(fuzz.chance.choice((fuzz.chance.randrange(32, 127), fuzz.chance.randrange(1, 0x3000)))) for _ in range(20)
    )


def _dotted(fuzz: Fuzz, wire: Wire) -> Wire:
    """The very bytes that were signed, cut at other full stops: the timestamp goes to the id."""
    del wire
    event = webhooks.Webhook(id="msg", timestamp=fuzz.now - 1, body=f"{fuzz.now}.".encode() + b"{}")
    headers = webhooks.sign(fuzz.keys.partner, event)
    moved = {webhooks.ID: f"{event.id}.{event.timestamp}", webhooks.TIMESTAMP: str(fuzz.now)}
    return Wire({**headers, **moved}, b"{}")


def _bare(fuzz: Fuzz, wire: Wire) -> Wire:
    missing = fuzz.chance.choice(sorted(wire.headers))
    return replace(wire, headers={name: text for name, text in wire.headers.items() if name != missing})


FORGERIES: dict[str, Callable[[Fuzz, Wire], Wire]] = {
    "a stranger's key": lambda fuzz, _: fuzz.signed([fuzz.keys.fresh()]),
    "retired keys": lambda fuzz, _: fuzz.signed(fuzz.keys.retired or [fuzz.keys.fresh()]),
    "no key": lambda fuzz, wire: wire.with_header(webhooks.SIGNATURE, _noise(fuzz)),
    "an empty key": lambda fuzz, _: fuzz.signed([b""]),
    "another body": lambda fuzz, wire: replace(wire, body=_flip(wire.body, fuzz.chance)),
    "a longer body": lambda _, wire: replace(wire, body=wire.body + b"\n"),
    "another id": lambda fuzz, wire: wire.with_header(webhooks.ID, f"msg_{fuzz.chance.getrandbits(64):x}"),
    "an id with a space": lambda _, wire: wire.with_header(webhooks.ID, wire.headers[webhooks.ID] + " "),
    "an id of noise": lambda fuzz, wire: wire.with_header(webhooks.ID, _noise(fuzz)),
    "a moved full stop": _dotted,
    "another time": lambda fuzz, wire: wire.with_header(
        webhooks.TIMESTAMP, str(fuzz.now + fuzz.chance.randint(301, 600))
    ),
    "a time near by": lambda _, wire: wire.with_header(
        webhooks.TIMESTAMP, str(int(wire.headers[webhooks.TIMESTAMP]) ^ 1)
    ),
    "a time spelt otherwise": lambda fuzz, wire: wire.with_header(
        webhooks.TIMESTAMP, fuzz.chance.choice(("0", "+", " ", "-")) + wire.headers[webhooks.TIMESTAMP]
    ),
    "a time of noise": lambda fuzz, wire: wire.with_header(webhooks.TIMESTAMP, _noise(fuzz)),
    "too old": lambda fuzz, _: fuzz.signed(
        fuzz.keys.partner, age=-webhooks.TOLERANCE_S - fuzz.chance.randint(1, 10**9)
    ),
    "too new": lambda fuzz, _: fuzz.signed(fuzz.keys.partner, age=webhooks.TOLERANCE_S + fuzz.chance.randint(1, 10**9)),
    "a flipped bit": lambda fuzz, wire: _entries(wire, lambda entry: _flipped_entry(entry, fuzz.chance)),
    "a truncated entry": lambda fuzz, wire: _entries(wire, lambda entry: entry[: fuzz.chance.randrange(len(entry))]),
    "another version": lambda fuzz, wire: _entries(
        wire, lambda entry: fuzz.chance.choice(("v1a", "v2", "V1", "", "v1 ")) + entry.removeprefix("v1")
    ),
    "hex for base64": lambda _, wire: _entries(wire, lambda entry: "v1," + base64.b64decode(entry[3:]).hex()),
    "a missing header": _bare,
    "another's signature": lambda fuzz, wire: wire.with_header(
        webhooks.SIGNATURE, fuzz.overheard(fuzz.signed([fuzz.keys.fresh()])).headers[webhooks.SIGNATURE]
    ),
    "many strangers": lambda fuzz, _: fuzz.signed([fuzz.keys.fresh() for _ in range(50)]),
}


def fuzz_webhooks(n: int, seed: int) -> Counter[str]:
    """`n` webhooks from one seed; how many of each kind were made. AssertionError names the one that went wrong."""
    kinds: Counter[str] = Counter()
    for start in range(0, n, PER_ROUND):
        fuzz = Fuzz(seed + start // PER_ROUND)
        for number in range(min(PER_ROUND, n - start)):
            fuzz.step(number)
            if number % PER_MOMENT == PER_MOMENT // 2:
                fuzz.replay(number)
        kinds += fuzz.kinds
    return kinds
