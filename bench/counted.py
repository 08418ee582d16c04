"""Counting: runs whose functions reach AWS through proxies, each begun cold, as a rotation once a month finds them.

Cold matters to counts: a new process logs in to Vault and signs for it. Not here: the kinds of a bill (`tally`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from bench import tally
from bench.functions import KINDS
from bench.place import Place
from bench.runs import Run, history_of, retire, rotate, wait_for_execution, wait_for_overlap
from bench.wire import Books, tapped
from keyturn.cloud import client
from sandbox.google.remote import calls as google_calls

_Rounds = Callable[[Place, str, Callable[[], None]], Run]


@dataclass(frozen=True, kw_only=True)
class Counted:
    """One run. `operations`: of AWS, by function. `google`: methods. `kinds`: all a bill may count but GB-seconds."""

    run: Run
    operations: Mapping[str, Mapping[str, int]]
    google: Mapping[str, int]
    kinds: Mapping[str, float]


def count(place: Place, secrets: Sequence[str], rounds: int) -> tuple[list[Counted], dict[str, float]]:
    """`rounds` lives of each secret, a rotation and a retirement; and the kinds of one sweep that finds nothing due.

    Raises:
        Refused: as `runs`, and `books_disagree`.
    """
    found: list[Counted] = []
    with tapped(KINDS, place.facts.aws_endpoint) as (endpoints, books):
        counter = _Counter(place, endpoints, books)
        for _ in range(rounds):
            found += [counter.one(secret, rotate) for secret in secrets]
            for secret in secrets:
                wait_for_overlap(place, secret)
                found.append(counter.one(secret, retire))
        sweep = counter.sweep()
        # nobody listens there any more
        place.functions.refresh()
    return found, sweep


class _Counter:
    def __init__(self, place: Place, endpoints: Mapping[str, str], books: Books) -> None:
        self._place, self._endpoints, self._books = place, endpoints, books
        self._over_http = _has_endpoint(place)

    def one(self, secret: str, go: _Rounds) -> Counted:
        """One run from a cold start."""
        wire: list[tuple[dict[str, Counter[str]], dict[str, float]]] = []
        google: Counter[str] = Counter()

        def at_end() -> None:
            wire.append(self._books.take())
            google.update(self._google())

        self._place.functions.refresh(self._endpoints)
        self._books.take()
        self._google()
        run = go(self._place, secret, at_end)
        operations, kinds = wire[0]
        tally.check_books(run, operations, google)
        kinds |= {k: kinds.get(k, 0.0) + n for k, n in tally.of_run(run, google, over_http=self._over_http).items()}
        return Counted(run=run, operations=operations, google=google, kinds=kinds)

    def sweep(self) -> dict[str, float]:
        """The second of two sweeps with nothing due, started as the schedule starts them: the process is there."""
        self._place.functions.refresh(self._endpoints)
        self._swept()
        return self._swept()

    def _swept(self) -> dict[str, float]:
        place = self._place
        self._books.take()
        self._google()
        place.functions.invocations()
        arn = place.states.start_execution(stateMachineArn=place.machine_arn("sweep"), input="{}")["executionArn"]
        wait_for_execution(place, arn)
        _, kinds = self._books.take()
        return {**kinds, **tally.of_sweep(history_of(place, arn), place.functions.invocations(), self._google())}

    def _google(self) -> Counter[str]:
        """Methods that the Google server was asked since the last time."""
        return Counter(call["method"] for call in google_calls(self._place.facts.google_endpoint, clear=True))


def _has_endpoint(place: Place) -> bool:
    """Whether verbs come in through an HTTP API of the stack."""
    with closing(client(place.stack, "apigatewayv2")) as gateways:
        names = [api["Name"] for api in gateways.get_apis()["Items"]]
    return any(name.startswith(place.stack.function("")) for name in names)
