"""All proxies of one sandbox: one per store, target and function, and whose calls pass where.

Control works for every credential: its calls are told apart by the secret that a ledger's write names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from bench.crash import words
from bench.crash.google_way import google_way
from bench.crash.http_way import Read, Request, http_way
from bench.crash.lane import Lane
from bench.crash.postgres_way import postgres_way
from bench.crash.words import Word
from sandbox.facts import Facts

CONTROL = "control"
Named = Callable[[Request], Word]


@dataclass(frozen=True, kw_only=True)
class Ways:
    """`facts`: of the sandbox as the functions are to see it. `aws`: where each function finds AWS."""

    facts: Facts
    aws: Mapping[str, str]


@contextmanager
def ways(facts: Facts, lanes: Mapping[str, Lane]) -> Iterator[Ways]:
    """The proxies while the block lasts; `lanes` by the name of the store."""
    with ExitStack() as stack:
        enter = stack.enter_context
        detoured = replace(
            facts,
            vault_address=enter(http_way(facts.vault_address, _constant(lanes["vault"], _vault))),
            google_endpoint=enter(google_way(facts.google_endpoint, lanes["gcp"])),
            postgres_port=enter(postgres_way(facts.postgres_port, lanes["aws"])),
            token_service_url=enter(http_way(facts.token_service_url, _constant(lanes["vault"], _target))),
            verifier_url=enter(http_way(facts.verifier_url, _constant(lanes["gcp"], _target))),
        )
        aws = {store: enter(http_way(facts.aws_endpoint, _constant(lane, _aws))) for store, lane in lanes.items()}
        aws[CONTROL] = enter(http_way(facts.aws_endpoint, _by_secret(lanes)))
        yield Ways(facts=detoured, aws=aws)


def _constant(lane: Lane, named: Named) -> Read:
    return lambda request: (lane, named(request))


def _by_secret(lanes: Mapping[str, Lane]) -> Read:
    keys = {f'"secret#{lane.secret}"'.encode(): lane for lane in lanes.values()}

    def read(request: Request) -> tuple[Lane | None, Word]:
        lane = next((lane for key, lane in keys.items() if key in request.body), None)
        return lane, _aws(request)

    return read


def _aws(request: Request) -> Word:
    return words.of_aws(request.method, request.path, request.headers, request.body)


def _vault(request: Request) -> Word:
    return words.of_vault(request.method, request.path)


def _target(request: Request) -> Word:
    return words.of_target(request.method, request.path)
