"""What of a run a bill may count, beside what passed on the wire; and whether the books that were kept agree.

Three keep books: the functions' own meters (in their logs), the proxies on the wire, the Google server's journal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from bench.executions import Execution
from bench.functions import Invocation
from bench.kinds import Kind
from bench.runs import Run
from rotation.errors import Refused

_BYTES_PER_GB = 1_000_000_000
_ACCESS = "AccessSecretVersion"
# Columns of the meters that are calls to the store for the credential itself.
_STORE = ("read", "write")
# Calls as the authority: its credential is read in the store, the others are made at the target.
_LOGIN, _AUTHORITY, _TARGET, _LEDGER = "login", "authority", "target", "ledger"


def metered(run: Run) -> Counter[str]:
    """What the run's store function counted itself, by column."""
    return _meters(run.invocations)


def _meters(invocations: Sequence[Invocation]) -> Counter[str]:
    columns: Counter[str] = Counter()
    for invocation in invocations:
        columns.update(invocation.calls)
    return columns


def of_run(run: Run, google: Mapping[str, int], *, over_http: bool) -> dict[str, float]:
    """Everything but what passed on the wire and the GB-seconds."""
    return {
        Kind.ENDPOINT_REQUEST.value: float(over_http),
        **_elsewhere(run.invocations, google),
        **_execution(run.execution, run.invocations),
    }


def of_sweep(execution: Execution, invocations: Sequence[Invocation], google: Mapping[str, int]) -> dict[str, float]:
    """As `of_run`, of one sweep, and its GB-seconds: nothing else times it.

    The looks that it asks functions for log no calls: only those to AWS and Google are counted, which have a price.
    """
    return {
        Kind.SCHEDULE.value: 1.0,
        Kind.GB_SECOND.value: sum(one.gb_seconds for one in invocations),
        **_elsewhere(invocations, google),
        **_execution(execution, invocations),
    }


def _elsewhere(invocations: Sequence[Invocation], google: Mapping[str, int]) -> dict[str, float]:
    """What is asked of others than AWS."""
    meters = _meters(invocations)
    vault = _meters([one for one in invocations if one.function == "vault"])
    accesses = google.get(_ACCESS, 0)
    counts = {
        Kind.GOOGLE_ACCESS: accesses,
        Kind.GOOGLE_MANAGEMENT: sum(google.values()) - accesses,
        # of a login, one call is KMS's
        Kind.VAULT_REQUEST: sum(vault[column] for column in _STORE) + vault[_LOGIN] // 2,
        Kind.TARGET_CALL: meters[_TARGET] + meters[_AUTHORITY],
    }
    return {kind.value: float(n) for kind, n in counts.items()}


def _execution(execution: Execution, invocations: Sequence[Invocation]) -> dict[str, float]:
    return {
        Kind.STATE_TRANSITION.value: float(execution.transitions),
        Kind.MACHINE_LOG_GB.value: execution.log_bytes / _BYTES_PER_GB,
        Kind.INVOCATION.value: float(len(invocations)),
        Kind.LOG_GB.value: sum(one.log_bytes for one in invocations) / _BYTES_PER_GB,
        Kind.TRACE.value: 1.0,
    }


def check_books(run: Run, operations: Mapping[str, Mapping[str, int]], google: Mapping[str, int]) -> None:
    """Refused `books_disagree`, where two who counted the same calls did not count alike."""
    meters, wire = metered(run), operations.get(run.store, {})
    store = sum(meters[column] for column in _STORE)
    seen = {
        "aws": sum(n for name, n in wire.items() if name.startswith("secretsmanager.")),
        "gcp": sum(google.values()),
    }.get(run.store, store)
    ledger = sum(n for name, n in wire.items() if name.startswith("dynamodb."))
    _agree(run, "store calls", store, seen, meters[_AUTHORITY])
    _agree(run, "ledger calls", meters[_LEDGER], ledger, meters[_AUTHORITY])


def _agree(run: Run, what: str, least: int, seen: int, authority: int) -> None:
    # the meter keeps what is asked for the authority in a column of its own: its read in the store, and before it a
    # look at the breaker in the ledger
    most = least + authority
    if not least <= seen <= most:
        told = f"{run.machine} of {run.secret}: the function counted {least} to {most} {what}, others {seen}"
        raise Refused("books_disagree", told, "a call is made past the meter, or counted twice")
