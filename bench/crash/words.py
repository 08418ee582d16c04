"""What a request on the wire is called, and whether it changes anything. No value of a secret gets into a word.

DynamoDB's transactions are named by what the ledger means by them: claim, intent of a step, its outcome, both in one
write, end. Everything else keeps the provider's own name of the operation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

_STEP = "step#"
_WRITES = frozenset({"PutSecretValue", "UpdateSecretVersionStage"})
_READS_OF_GOOGLE = ("Get", "Access", "List")
# A statement is called by its verbs, the rest may hold a verifier or a name.
_STATEMENT = re.compile(r"\s*([A-Z]+(?: [A-Z]+)?)")
_ENDS_SESSIONS = "pg_terminate_backend"


class Party(StrEnum):
    """Who is asked."""

    LEDGER = "ledger"
    STORE = "store"
    TARGET = "target"
    # catalogue, KMS and Lambda: read only
    CLOUD = "cloud"


@dataclass(frozen=True, kw_only=True)
class Word:
    """A request. effect: it changes something. opens: the step that begins with it. kind: of a ledger's write."""

    party: Party
    name: str
    effect: bool = False
    opens: str = ""
    kind: str = ""


def of_aws(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Word:
    """A request to AWS; header names in lower case."""
    service, _, operation = headers.get("x-amz-target", "").rpartition(".")
    if operation == "TransactWriteItems":
        return _of_transaction(json.loads(body)["TransactItems"])
    if service.startswith("DynamoDB"):
        return Word(party=Party.LEDGER, name=operation)
    if service == "secretsmanager":
        return Word(party=Party.STORE, name=operation, effect=operation in _WRITES)
    return Word(party=Party.CLOUD, name=operation or f"{method} {urlsplit(path).path.split('/')[1]}")


def _of_transaction(items: list[dict[str, Any]]) -> Word:
    puts = [item["Put"]["Item"] for item in items if "Put" in item]
    steps = [row for row in puts if _sort_key(row).startswith(_STEP)]
    opened = [_sort_key(row) for row in steps if not row["outcome_at"]["S"]]
    closed = [_sort_key(row) for row in steps if row["outcome_at"]["S"]]
    if "claim" in map(_sort_key, puts):
        return _ledger("claim", "claim", opens="claim")
    if "claim" in (_sort_key(item["Delete"]["Key"]) for item in items if "Delete" in item):
        return _ledger("end", "end")
    named = " + ".join([f"outcome {_short(key)}" for key in closed] + [f"intent {_short(key)}" for key in opened])
    kind = "outcome and intent" if closed and opened else "intent" if opened else "outcome" if closed else "other"
    return _ledger(named or "other", kind, opens=_short(opened[0]) if opened else "")


def _ledger(name: str, kind: str, opens: str = "") -> Word:
    return Word(party=Party.LEDGER, name=name, effect=True, kind=kind, opens=opens)


def _sort_key(row: Mapping[str, Any]) -> str:
    return str(row["sk"]["S"])


def _short(key: str) -> str:
    return key.removeprefix(_STEP)


def of_vault(method: str, path: str) -> Word:
    """A request to Vault: method and API, without the path of the secret but for its pending sibling."""
    parts = urlsplit(path).path.split("/")
    if "login" in parts:
        return Word(party=Party.STORE, name="login")
    place = "pending" if "pending" in parts else "live"
    api = next((part for part in parts if part in ("data", "destroy", "metadata")), parts[-1])
    return Word(party=Party.STORE, name=f"{method} {api} {place}", effect=method in ("POST", "PUT"))


def of_google(method: str) -> Word:
    """A call of Secret Manager by its RPC's full name."""
    name = method.rpartition("/")[2]
    return Word(party=Party.STORE, name=name, effect=not name.startswith(_READS_OF_GOOGLE))


def of_target(method: str, path: str) -> Word:
    """A request to a target: method and the last fixed part of its path."""
    parts = [part for part in urlsplit(path).path.split("/") if part in ("slots", "whoami", "keys", "verify")]
    return Word(party=Party.TARGET, name=f"{method} {parts[-1]}", effect=method in ("PUT", "DELETE"))


def of_statement(text: str) -> Word:
    """A statement of PostgreSQL; inside a transaction only its COMMIT is an effect."""
    if _ENDS_SESSIONS in text:
        return Word(party=Party.TARGET, name=_ENDS_SESSIONS, effect=True)
    found = _STATEMENT.match(text)
    name = found.group(1) if found else "statement"
    return Word(party=Party.TARGET, name=name, effect=name == "COMMIT")
