"""What makes runs lose their way: a store that is down, an authority that its target refuses, a test that fails.

Each is undone when its block ends. Not here: aborting an execution (`repair_subject`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

from repair_subject import Subject, secret_at
from runs_credentials import API_TOKEN, POSTGRES, SIGNING_KEY
from runs_detour import Gate, detour
from runs_stack import LEDGER, Stack
from runs_stores import VaultReader

from sandbox.google.remote import set_switches

# Far longer than any of these tests: it ends with the block.
_DOWN_S = 600


def unavailable(stack: Stack) -> AbstractContextManager[None]:
    """Google Secret Manager answers UNAVAILABLE to everything."""
    return _spoilt(stack, down_for=_DOWN_S)


def unseen(stack: Stack) -> AbstractContextManager[None]:
    """Google shows no secret's pointers; the server itself is well."""
    return _spoilt(stack, fail_next={"method": "GetSecret", "code": "UNAVAILABLE", "count": 100})


@contextmanager
def _spoilt(stack: Stack, **settings: Any) -> Iterator[None]:
    set_switches(stack.facts.google_endpoint, **settings)
    try:
        yield
    finally:
        set_switches(stack.facts.google_endpoint, forget_faults=True)
        _close_breaker(stack, "gcp")


@contextmanager
def sealed(stack: Stack) -> Iterator[None]:
    """Vault is sealed, as it is after a restart: it answers 503 to everything."""
    with closing(VaultReader(stack, API_TOKEN.name)) as reader:
        reader.client.sys.seal()
        try:
            yield
        finally:
            reader.client.sys.submit_unseal_key(stack.credentials.vault_unseal_key)
            _close_breaker(stack, "vault")


def _close_breaker(stack: Stack, provider: str) -> None:
    """A test's device: five failures leave a provider alone for a minute of the real clock."""
    key = {"pk": {"S": f"breaker#{provider}"}, "sk": {"S": "state"}}
    stack.aws("dynamodb").delete_item(TableName=LEDGER, Key=key)


@contextmanager
def wrong_authority(one: Subject) -> Iterator[None]:
    """The target refuses the authority that Keyturn's store holds."""
    name, mistaken = _AUTHORITIES[one.name]
    with secret_at(one.stack, one.credential, name) as (reader, store):
        right = reader.live().text
        store.make_current(json.dumps({**json.loads(right), mistaken: "nobody"}))
        try:
            yield
        finally:
            store.make_current(right)


# By credential: the authority's secret in the same store, and its field that opens the target.
_AUTHORITIES = {
    POSTGRES.name: ("keyturn/authority/payments-postgres", "password"),
    API_TOKEN.name: ("authority/token-service", "token"),
    SIGNING_KEY.name: ("keyturn-authority-verifier", "token"),
}


@contextmanager
def held_at_its_test(stack: Stack) -> Iterator[Gate]:
    """Runs of the signing key that begin meanwhile wait at their test, which then refuses the candidate."""
    refusal = (401, {"error": "unknown_key"})
    with detour(stack, SIGNING_KEY.name, stack.facts.verifier_url, "/verify", refusal) as gate:
        yield gate
