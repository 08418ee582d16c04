"""A stack whose every way to a store and to a target leads through a fault proxy, and whose waits are scaled.

Functions find their store by their environment, so that a new version behind the alias is enough; targets are named by
the policies in the catalogue. The circuit breaker's pause is a time in the ledger, judged by the functions' own clock:
the test brings it forward by the same scale.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from runs_catalogue import rewrite
from runs_credentials import API_TOKEN, POSTGRES, SIGNING_KEY, Credential
from runs_stack import LEDGER, PAUSE_S, PREFIX, Stack

from rotation.ledger.breaker import OPEN_FOR
from sandbox.faults import aws, http_proxy, postgres
from sandbox.faults.contract import Faults
from sandbox.faults.google import GoogleFaults
from sandbox.faults.postgres import PostgresFaults
from sandbox.wire import ask

# A minute of the machine's waits takes three seconds.
WAIT_SCALE = 0.05
ALIAS = "live"
# as the ledger writes a time
MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a credential's run reaches the world: faults of its store, of its target, the breaker's name for the store.

    writes: the store's calls of a rotation that change something. promote, apply: the calls that move current, and that
    make the target accept the candidate.
    """

    store: Faults
    target: http_proxy.HttpFaults | PostgresFaults
    provider: str
    writes: tuple[str, ...]
    promote: str
    apply: str


@dataclass(frozen=True, kw_only=True)
class Faulty:
    """The stack with its ways by credential's name."""

    stack: Stack
    ways: Mapping[str, Way]


@contextmanager
def through_faults(stack: Stack) -> Iterator[Faulty]:
    """Lead every way through a proxy and scale the waits, before the first rotation and for the life of the sandbox."""
    facts = stack.facts
    with ExitStack() as opened:
        secrets = opened.enter_context(aws.before(facts.aws_endpoint, stack.layout.root / "microburst"))
        vault = opened.enter_context(http_proxy.before(facts.vault_address))
        tokens = opened.enter_context(http_proxy.before(facts.token_service_url))
        verifier = opened.enter_context(http_proxy.before(facts.verifier_url))
        database = opened.enter_context(postgres.before(facts.postgres_port))
        _reach(stack, POSTGRES, {"AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets.url})
        _reach(stack, API_TOKEN, {"VAULT_ADDR": vault.url})
        _lead(stack, POSTGRES, {"port": str(database.port)})
        _lead(stack, API_TOKEN, {"url": tokens.url})
        _lead(stack, SIGNING_KEY, {"url": verifier.url})
        scale(stack, WAIT_SCALE)
        ways = {
            POSTGRES.name: Way(
                store=secrets,
                target=database,
                provider="secretsmanager",
                writes=("PutSecretValue", "UpdateSecretVersionStage"),
                promote="UpdateSecretVersionStage",
                apply="COMMIT",
            ),
            API_TOKEN.name: Way(
                store=vault,
                target=tokens,
                provider="vault",
                writes=(
                    "POST /v1/keyturn/data/pending/partners/api-token",
                    "POST /v1/keyturn/data/partners/api-token",
                    "* /v1/keyturn/destroy/pending/partners/api-token",
                ),
                promote="POST /v1/keyturn/data/partners/api-token",
                apply="PUT /accounts/*/slots/*",
            ),
            SIGNING_KEY.name: Way(
                store=GoogleFaults(facts.google_endpoint),
                target=verifier,
                provider="gcp",
                writes=("AddSecretVersion", "UpdateSecret"),
                promote="UpdateSecret",
                apply="PUT /keys/*",
            ),
        }
        yield Faulty(stack=stack, ways=ways)


@contextmanager
def impatient(stack: Stack, credentials: Iterable[Credential], timeout_s: int) -> Iterator[None]:
    """Runs that begin inside the block have functions with another timeout."""
    client, before = stack.aws("lambda"), {}
    for credential in credentials:
        name = _function(credential)
        before[name] = client.get_alias(FunctionName=name, Name=ALIAS)["FunctionVersion"]
        _publish(stack, credential, Timeout=timeout_s)
    try:
        yield
    finally:
        for name, version in before.items():
            client.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=version)


def _reach(stack: Stack, credential: Credential, variables: Mapping[str, str]) -> None:
    known = stack.aws("lambda").get_function_configuration(FunctionName=_function(credential))
    _publish(stack, credential, Environment={"Variables": {**known["Environment"]["Variables"], **variables}})


def _publish(stack: Stack, credential: Credential, **changed: Any) -> None:
    """A new version of the credential's function behind the alias."""
    client, name = stack.aws("lambda"), _function(credential)
    client.update_function_configuration(FunctionName=name, **changed)
    version = client.publish_version(FunctionName=name)["Version"]
    client.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=version)


def _function(credential: Credential) -> str:
    return f"{PREFIX}-{credential.function}"


def scale(stack: Stack, factor: float) -> None:
    """Scale the emulator's Wait and Retry; its timeouts stay as they are."""
    port = int(stack.facts.aws_endpoint.rpartition(":")[2])
    status, answer = ask(port, "POST", "/_ministack/config", {"stepfunctions._SFN_WAIT_SCALE": factor})
    assert (status, answer["applied"]) == (200, {"stepfunctions._SFN_WAIT_SCALE": factor})


@contextmanager
def scaled_breakers(faulty: Faulty) -> Iterator[set[str]]:
    """Bring forward, inside the block, what the breakers wait for; yields the providers whose breaker was open."""
    over, opened = threading.Event(), set[str]()
    watch = threading.Thread(target=_bring_forward, args=(faulty, over, opened))
    watch.start()
    try:
        yield opened
    finally:
        over.set()
        watch.join()


def _bring_forward(faulty: Faulty, over: threading.Event, opened: set[str]) -> None:
    done: set[str] = set()
    while not over.wait(PAUSE_S):
        for provider in (way.provider for way in faulty.ways.values()):
            until = _open_until(faulty.stack, provider)
            if until and until not in done:
                opened.add(provider)
                sooner = (datetime.fromisoformat(until) - OPEN_FOR * (1 - WAIT_SCALE)).strftime(MOMENT)
                _set_open_until(faulty.stack, provider, until, sooner)
                done |= {until, sooner}


def _key(provider: str) -> dict[str, Any]:
    return {"pk": {"S": f"breaker#{provider}"}, "sk": {"S": "state"}}


def _open_until(stack: Stack, provider: str) -> str:
    found = stack.aws("dynamodb").get_item(TableName=LEDGER, Key=_key(provider), ConsistentRead=True)
    return str(found.get("Item", {}).get("open_until", {}).get("S", ""))


def _set_open_until(stack: Stack, provider: str, seen: str, sooner: str) -> None:
    client = stack.aws("dynamodb")
    try:
        client.update_item(
            TableName=LEDGER,
            Key=_key(provider),
            UpdateExpression="SET open_until = :sooner",
            ConditionExpression="open_until = :seen",
            ExpressionAttributeValues={":sooner": {"S": sooner}, ":seen": {"S": seen}},
        )
    except ClientError as exc:
        # a function was faster: the next look sees what it wrote
        assert exc.response["Error"]["Code"] == "ConditionalCheckFailedException"  # noqa: PT017 - or it is raised


def _lead(stack: Stack, credential: Credential, facts: Mapping[str, str]) -> None:
    """Name another address of the target in the catalogue."""
    rewrite(stack, credential.name, lambda policy: policy["target"]["facts"].update(facts))
