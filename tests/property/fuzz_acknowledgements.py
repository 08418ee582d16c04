"""Acknowledgements forged and fuzzed at every moment of rotations: none is accepted, and no valid one is refused.

Each is an event as the gateway hands it over, given to the verb that the endpoint leads to. What is valid is judged
here by what readers get from the store, not by the ledger that the verb asks: the version that is current, and the one
before it until that is retired. A forger has every name and every version, and is anybody but the consumer's role; or
is that role, and names a version that nobody uses, or speaks nonsense. The same seed gives the same run.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rotation.handlers import endpoint
from rotation.control.acknowledge import MAX_LEASE_S, MIN_LEASE_S
from rotation.control.desk import run_id_of
from rotation.control.table import VERBS
from rotation.errors import KeyturnError
from rotation.phases import Phase
from rotation.policy import Consumer
from tests.model.world import NAME, OVERLAP_S, POLICY, ModelCatalogue, World

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service/web"
ACTOR = f"arn:aws:sts::{ACCOUNT}:assumed-role/web/i-0abc"
INSTANCES = tuple(f"web-{number}" for number in range(5))
# Between two phases: some 250 to a rotation with its retirement.
PER_MOMENT = 20
# Acknowledgements of one seed: then a new world, whose ledger is empty.
PER_ROUND = 10_000
VALID_PERCENT = 30
# So long is a lease that every replica of a model's day is alive at the gate.
LEASE_S = 300


@dataclass
class Fuzzed:
    """What came of a run. wrong: kinds of forgery that were accepted, and how a valid one was refused."""

    refused: Counter[str] = field(default_factory=Counter)
    valid: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass
class Truth:
    """Keyturn's id and the store's of what readers get, and of what they got before; `used` while that is not retired.

    gone: what was current before that, and `coming` what will be; both by Keyturn's ids.
    """

    current: tuple[str, str] = ("", "")
    before: tuple[str, str] = ("", "")
    used: bool = False
    gone: list[str] = field(default_factory=list)
    coming: str = ""


class Told(World):
    """A world whose consumers speak, and others with them, before and after every phase."""

    def __init__(self, chance: random.Random, found: Fuzzed, count: int) -> None:
        super().__init__()
        web = Consumer(name="web", kind="client", lead_s=1, role=ROLE)
        polls = Consumer(name="polls", kind="poll", lead_s=1, role=ROLE)
        policy = replace(POLICY, consumers=(web, polls), acknowledge_s=OVERLAP_S)
        catalogue: Any = ModelCatalogue({NAME: policy})
        self.desk = replace(self.desk, catalogue=catalogue)
        self.chance, self.found, self.left = chance, found, count
        self.truth = Truth()

    def enter(self, phase: Phase, entered: str | Mapping[str, str]) -> tuple[str, str]:
        """The phase, and what is said after it."""
        outcome = super().enter(phase, entered)
        if self.secret.current is not None:
            self._look()
            self._speak()
        return outcome

    def turn(self, number: int) -> None:
        """One rotation and its retirement, to which every replica has agreed."""
        execution = f"arn:{number}"
        self.truth.coming = run_id_of(execution)
        assert self.rotate(execution) == "succeeded"
        for instance in INSTANCES:
            self._say("valid", self.message(instance=instance), accepted=True)
        self.clock.advance(OVERLAP_S)
        self.truth.used = False
        if self.truth.before[0] and self.retire(f"{execution}-retire") != "succeeded":
            self.found.wrong.append("a retirement that every replica had agreed to was held back")
            self.left = 0

    def message(self, **changed: Any) -> dict[str, Any]:
        """A valid one, unless a change makes it another."""
        said = {"secret": NAME, "consumer": "web", "instance": self.chance.choice(INSTANCES), "lease_s": LEASE_S}
        return {**said, "version": self.truth.current[0], **changed}

    def _look(self) -> None:
        """What readers get now, by the store's own word."""
        truth, live = self.truth, str(self.secret.current)
        if live != truth.current[1]:
            truth.gone += [truth.before[0]] if truth.before[0] else []
            truth.before, truth.current = truth.current, (truth.coming, live)
            truth.used, truth.coming = bool(truth.before[0]), ""

    def _speak(self) -> None:
        for _ in range(min(PER_MOMENT, self.left)):
            self.left -= 1
            if self.chance.randrange(100) < VALID_PERCENT:
                self._say("valid", _valid(self), accepted=True)
            else:
                kind = self.chance.choice(_KINDS)
                self._say(kind, FORGERIES[kind](self), accepted=False)

    def _say(self, kind: str, said: Any, *, accepted: bool) -> None:
        event = said if isinstance(said, Event) else Event(said)
        try:
            request = endpoint.read(event.document)
            VERBS["acknowledge"](self.desk, request.fields)
        except KeyturnError as exc:
            reason = exc.reason
        else:
            reason = ""
        if bool(reason) is accepted:
            self.found.wrong.append(f"{kind}: {reason or 'accepted'}")
        elif accepted:
            self.found.valid += 1
        else:
            self.found.refused[f"{kind}: {reason}"] += 1


class Event:
    """A request as the gateway hands it over; `caller` is who IAM verified, None where nobody signed."""

    def __init__(self, said: Any, caller: str | None = ACTOR, route: str = "POST /verbs/acknowledge") -> None:
        iam = {"authorizer": {"iam": {"userArn": caller, "accountId": ACCOUNT}}} if caller is not None else {}
        body = said if isinstance(said, str) else json.dumps(said)
        self.document = {"routeKey": route, "requestContext": iam, "body": body, "isBase64Encoded": False}


def _valid(world: Told) -> dict[str, Any]:
    """Of the role, for what readers get or got until a moment ago, by either name."""
    truth = world.truth
    used = world.chance.choice([truth.current, truth.before]) if truth.used else truth.current
    lease = world.chance.choice((LEASE_S, MIN_LEASE_S, MAX_LEASE_S))
    message = world.message(lease_s=lease)
    if world.chance.random() < 0.5:
        return {**message, "version": used[0]}
    del message["version"]
    # what somebody writes into a request says nothing of who sends it
    return {**message, "store_version": used[1], "actor": "arn:somebody", "requested_by": ""}


def _stranger(world: Told) -> Event:
    """Another principal, who says that it is the role."""
    other = world.chance.choice(
        [
            f"arn:aws:sts::{ACCOUNT}:assumed-role/batch/i-0abc",
            f"arn:aws:sts::{ACCOUNT}:assumed-role/batch/web",
            f"arn:aws:sts::{ACCOUNT}:assumed-role/web{world.chance.choice('-2/ ')}/i-0abc",
            f"arn:aws:sts::{world.chance.randrange(2 * 10**11, 10**12)}:assumed-role/web/i-0abc",
            f"arn:aws:iam::{ACCOUNT}:user/web",
            f"arn:aws:iam::{ACCOUNT}:root",
            f"arn:aws:sts::{ACCOUNT}:federated-user/web",
            f"arn:aws:iam::{ACCOUNT}:role/web/batch",
            ACTOR.replace("web", "WEB"),
        ]
    )
    forged = {"actor": ACTOR, "requested_by": ACTOR, "userArn": ACTOR, "role": ROLE}
    return Event({**world.message(), **forged}, other)


def _unsigned(world: Told) -> Event:
    event = Event({**world.message(), "requested_by": ACTOR}, None)
    if world.chance.random() < 0.5:
        event.document["requestContext"] = world.chance.choice(
            [
                {"authorizer": {"jwt": {"userArn": ACTOR}}},
                {"identity": {"userArn": ACTOR}},
                {"authorizer": None},
                [],
                "",
            ]
        )
    return event


def _other_version(world: Told) -> dict[str, Any]:
    """What nobody uses: long gone, or not current yet, or like a version."""
    current, truth = world.truth.current[0], world.truth
    gone = truth.gone or [f"{world.chance.getrandbits(128):032x}"]
    said = [
        world.chance.choice(gone),
        truth.coming or "f" * 32,
        f"{world.chance.getrandbits(128):032x}",
        current.upper() if current.upper() != current else current[::-1],
        current[:-1],
        current + " ",
        current + "\n",
        "latest",
        "AWSCURRENT",
        str(-world.chance.randrange(1, 99)),
        str(10**6 + world.chance.randrange(99)),
        "*",
    ]
    return world.message(version=world.chance.choice(said))


def _nonsense(world: Told) -> dict[str, Any]:
    """A field of another type, or none."""
    name = world.chance.choice(("secret", "consumer", "instance", "version", "lease_s"))
    other = world.chance.choice(
        [[], {}, ["web"], {"name": "web"}, None, 1.5, False, "", "\ud800", "9" * 9_000, -1, 10**400]
    )
    return world.message(**{name: other})


def _missing(world: Told) -> dict[str, Any]:
    message = world.message()
    del message[world.chance.choice(sorted(message))]
    return message


def _lease(world: Told) -> dict[str, Any]:
    chance = world.chance
    lengths = (0, MIN_LEASE_S - 1, MAX_LEASE_S + 1 + chance.randrange(10**9), -chance.randrange(1, 10**9), float("nan"))
    return world.message(lease_s=chance.choice((*lengths, float("inf"), "300", "", [300], 10**400)))


def _names(world: Told) -> dict[str, Any]:
    """Another secret, another consumer (one of them polls), an instance that is no name."""
    return world.message(
        **world.chance.choice(
            [
                {"secret": "group/other"},
                {"secret": f"{NAME}#"},
                {"secret": f"../{NAME}"},
                {"secret": NAME.upper()},
                {"consumer": "polls"},
                {"consumer": "api"},
                {"consumer": "Web"},
                {"consumer": "web "},
                {"instance": "one#two"},
                {"instance": " "},
                {"instance": "x" * 129},
                {"instance": "one\n"},
                {"instance": "-one"},
            ]
        )
    )


def _cut(world: Told) -> Event:
    text = json.dumps(world.message())
    return Event(text[: world.chance.randrange(len(text))])


def _noise(world: Told) -> Event:
    chance = world.chance
    text = chance.choice(["", "null", "[]", '"x"', "[" * 2_000, "1e999", "NaN", "{}", "\x00", str(chance.random())])
    event = Event(text)
    event.document["isBase64Encoded"] = chance.random() < 0.5
    return event


def _elsewhere(world: Told) -> Event:
    """By a route that leads to no acknowledgement."""
    routes = ("GET /verbs/acknowledge", "POST /verbs/acknowledge/", "POST /verbs/ACKNOWLEDGE", "$default", "")
    return Event(world.message(), route=world.chance.choice(routes))


FORGERIES: dict[str, Callable[[Told], Any]] = {
    "a stranger": _stranger,
    "nobody": _unsigned,
    "another version": _other_version,
    "nonsense": _nonsense,
    "a field missing": _missing,
    "another lease": _lease,
    "other names": _names,
    "cut": _cut,
    "noise": _noise,
    "another route": _elsewhere,
}
_KINDS = sorted(FORGERIES)


def fuzz_acknowledgements(n: int, seed: int) -> Fuzzed:
    """`n` acknowledgements from one seed, some three in ten valid."""
    found = Fuzzed()
    for start in range(0, n, PER_ROUND):
        chance = random.Random(seed + start // PER_ROUND)  # noqa: S311 - repeatable, guards nothing
        world = Told(chance, found, min(PER_ROUND, n - start))
        turn = 0
        while world.left:
            world.turn(turn)
            turn += 1
        leases = world.ledger.leases.of(NAME)
        strangers = [lease for lease in leases if lease.actor != ACTOR or lease.instance not in INSTANCES]
        found.wrong += [f"a lease of {lease.actor} for {lease.instance}" for lease in strangers]
    return found
