"""One secret in a real OpenBao whose rotations are announced through a real Valkey, and the endpoint for its consumers.

The phases, the store's adapter, the announcer with its signature by KMS (the emulator's) and the verb `acknowledge` are
those of the functions, called in this process; the ledger is in memory, and the endpoint a plain HTTP server that puts
the caller into the event as API Gateway does. So what is measured is Keyturn and the servers, not the time that an
emulator takes to start a function.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rotation.handlers import endpoint
from rotation.calls import Caller, Meter, NullBreaker
from rotation.consumers import registry
from rotation.consumers.channel import Announcer
from rotation.consumers.event import Notice
from rotation.context import Context
from rotation.contract import SecretRef, Version
from rotation.control.table import VERBS
from rotation.errors import KeyturnError
from rotation.issuers.random_string import RandomString
from rotation.ledger.ledger import Ledger
from rotation.ledger.memory import MemoryRows
from rotation.ledger.rows import Key, Row, Write
from rotation.phases import Phase
from rotation.policy import Consumer, Policy, from_document
from rotation.stores import vault_client
from rotation.stores.vault import VaultStore
from rotation.stores.vault_auth import Lease, VaultSession
from rotation.value import SecretValue
from tests.model.world import NAME, POLICY, ModelCatalogue, World

ROLE = "arn:aws:iam::000000000000:role/subscriber"
_ACTOR = "arn:aws:sts::000000000000:assumed-role/subscriber/bench"
CONSUMER, MOUNT = "subscribers", "keyturn"
PATH = f"{MOUNT}/group/secret"
# Longer than the whole takes.
_TOKEN_S = 24 * 3_600
# All subscribers may connect at once; a queue of five would have them try again after a second.
_CONNECTIONS = 256

SUBSCRIBED: Policy = replace(
    POLICY,
    store="vault",
    path=PATH,
    credential=RandomString.kind,
    overlap_s=0,
    consumers=(Consumer(name=CONSUMER, kind="client", lead_s=0, role=ROLE),),
    acknowledge_s=3_600,
    invalidate=("redis",),
)


class _Clock:
    """The machine's own; looking again takes the time that it takes."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)

    def advance(self, seconds: float) -> None:
        time.sleep(seconds)


class _Rows(MemoryRows):
    """For the threads of the endpoint and the run at once."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = threading.RLock()

    def get(self, key: Key) -> Row | None:
        with self._whole:
            return super().get(key)

    def partition(self, pk: str, prefix: str = "", newest: int = 0) -> list[Row]:
        with self._whole:
            return super().partition(pk, prefix, newest)

    def due(self, shard: str, until: str, most: int = 0) -> list[Row]:
        with self._whole:
            return super().due(shard, until, most)

    def write(self, writes: Sequence[Write]) -> None:
        with self._whole:
            super().write(writes)


class _Token:
    """A login that has its token already."""

    def __init__(self, token: str) -> None:
        self._token = token

    def login(self, client: Any, caller: Caller) -> Lease:
        del client, caller
        return Lease(token=self._token, lasts_s=_TOKEN_S)


@dataclass
class Moments:
    """Of one rotation, by a clock that only rises: label moved, announcing begun; who acknowledged when."""

    moved: float = 0.0
    announced: float = 0.0
    told: str = ""
    acknowledged: dict[str, float] = field(default_factory=dict)


class _Store(VaultStore):
    """Notes when readers get the new version."""

    moments: Moments

    def promote(self, ref: SecretRef, run_id: str, staged: Version, expected: Version | None) -> Version:
        live = super().promote(ref, run_id, staged, expected)
        self.moments.moved = time.monotonic()
        return live


class _Announcer:
    """Notes when consumers are told."""

    def __init__(self, inner: Announcer, moments: Moments) -> None:
        self._inner, self._moments = inner, moments
        self.stack = inner.stack

    def announce(self, notice: Notice, channels: Any) -> Mapping[str, str]:
        if notice.event.value == "promoted":
            self._moments.announced = time.monotonic()
        told = self._inner.announce(notice, channels)
        self._moments.told = told["redis"]
        return told


class Subscribed(World):
    """`environment`: of the function of the store, for its announcer. before: called before each label move."""

    def __init__(self, environment: Mapping[str, str], vault: str, token: str) -> None:
        super().__init__()
        self._environment, self._vault, self._token = environment, vault, token
        self.clock = _Clock()  # type: ignore[assignment]
        self.rows = _Rows()
        self.ledger = Ledger(self.rows, self.clock)
        catalogue: Any = ModelCatalogue({NAME: SUBSCRIBED})
        self.desk = replace(self.desk, ledger=self.ledger, catalogue=catalogue, table_id=self.rows.identity)
        self.before: Callable[[], None] = lambda: None
        self.moments: dict[str, Moments] = {}
        self.arrived = threading.Condition()

    def context(self, run_id: str) -> Context:
        """With the real store and the real announcer."""
        run, steps = self.ledger.run(run_id)
        policy, moments = from_document(run.policy), self.of(run_id)
        caller = Caller(
            "vault", translate=vault_client.translate, meter=self.meter, breaker=NullBreaker(), sleep=time.sleep
        )
        session = VaultSession(vault_client.client(self._vault), caller, _Token(self._token), clock=time.time)
        store = _Store(session)
        store.moments = moments
        announcer = registry.from_env(self._environment, store, Meter(), NullBreaker())
        return Context(
            run=run,
            policy=policy,
            store=store,
            issuer=RandomString({}, lambda: SecretValue.of({}), caller),
            ledger=self.ledger,
            meter=self.meter,
            steps=steps,
            announcer=_Announcer(announcer, moments),
        )

    def enter(self, phase: Phase, entered: str | Mapping[str, str]) -> tuple[str, str]:
        """As ever, with what a lane does before the label moves."""
        if phase.name == "promote":
            self.before()
        return super().enter(phase, entered)

    def of(self, run_id: str) -> Moments:
        """The moments of a run's version."""
        return self.moments.setdefault(run_id, Moments())

    def acknowledge(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the control function does with a request, and when it was done."""
        try:
            request = endpoint.read(event)
            kept = VERBS[request.verb](self.desk, request.fields)
        except KeyturnError as exc:
            return endpoint.refused(exc)
        with self.arrived:
            self.of(kept["version"]).acknowledged.setdefault(kept["instance"], time.monotonic())
            self.arrived.notify_all()
        return endpoint.answered(kept)

    def wait_for_all(self, run_id: str, count: int, seconds: float) -> Moments:
        """Until so many instances have acknowledged the version that a run made."""
        moments = self.of(run_id)
        with self.arrived:
            if not self.arrived.wait_for(lambda: len(moments.acknowledged) >= count, seconds):
                raise TimeoutError(f"{len(moments.acknowledged)} of {count} acknowledged in {seconds:.0f} s")
        return moments


def serving(world: Subscribed) -> ThreadingHTTPServer:
    """The endpoint; the caller starts and closes it."""

    class Routes(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            iam = {"authorizer": {"iam": {"userArn": _ACTOR}}}
            event = {"routeKey": f"POST {self.path}", "body": body, "requestContext": iam}
            answer = world.acknowledge(event)
            text = str(answer["body"]).encode()
            self.send_response(answer["statusCode"])
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = _CONNECTIONS

    return Server(("127.0.0.1", 0), Routes)
