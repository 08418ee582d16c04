"""The result as one document: what was counted (the same every time), what was timed, and the bill of both.

Names of credentials, phases and operations are the project's; nothing of the machine it ran on is in it, and no time of
day. Not here: how it is shown (`tables`), and prices (`prices`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from bench import ratios
from bench.cost import ROTATIONS, bill, free, total
from bench.counted import Counted
from bench.floors import AWS_TEMPLATE_CALLS, FLOORS
from bench.kinds import Kind
from bench.prices import PRICES, READ_ON, REGION
from bench.runs import Run
from bench.tally import metered
from bench.timed import Timed
from rotation.errors import Refused

# The schedule looks every five minutes.
SWEEPS_PER_DAY = 24 * 12
DAYS = 30
# Significant enough to compare, few enough to read.
_DIGITS = 6
# Kinds that differ a little from run to run, since times and bytes of times are in them.
MEASURED = (Kind.GB_SECOND, Kind.LOG_GB, Kind.MACHINE_LOG_GB)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Everything that was measured, before anything is made of it."""

    counted: Sequence[Counted]
    sweep: Mapping[str, float]
    timed: Timed


def report(measured: Measured) -> dict[str, Any]:
    """The document. Refused `nothing_rotated`, `unpriced_kind`."""
    secrets = list(dict.fromkeys(one.run.secret for one in measured.counted))
    if not secrets or not measured.timed.warm:
        raise Refused(
            "nothing_rotated", "nothing was rotated, so that there is nothing to report", "see what stopped it"
        )
    document = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "counted": {secret: _counted(_of(measured.counted, secret)) for secret in secrets},
        "cost": _cost(measured, secrets),
        "timed": _timed(measured.timed, secrets),
    }
    return {name: _rounded(part) for name, part in document.items()}


def _of(counted: Sequence[Counted], secret: str) -> list[Counted]:
    return [one for one in counted if one.run.secret == secret]


def _rotations(counted: Sequence[Counted]) -> int:
    return sum(one.run.machine == "rotate" for one in counted)


def _counted(lives: Sequence[Counted]) -> dict[str, Any]:
    """One life, in the mean of the lives; `varied`: kinds that were not the same in each."""
    store, n = lives[0].run.store, _rotations(lives)
    calls: Counter[str] = Counter()
    operations: dict[str, Counter[str]] = {}
    for one in lives:
        calls.update(metered(one.run))
        for function, made in one.operations.items():
            operations.setdefault(function, Counter()).update(made)
    return {
        "store": store,
        "lives": n,
        "varied": _varied(lives),
        "calls": {name: count / n for name, count in sorted(calls.items())},
        "floor": asdict(FLOORS[store]),
        "aws_template_calls_without_proof": AWS_TEMPLATE_CALLS if store == "aws" else None,
        "transitions": {machine: _mean(lives, machine, _transitions) for machine in ("rotate", "retire")},
        "invocations": {machine: _mean(lives, machine, _invocations) for machine in ("rotate", "retire")},
        "operations": {
            function: {name: count / n for name, count in sorted(made.items())}
            for function, made in sorted(operations.items())
        },
    }


def _mean(lives: Sequence[Counted], machine: str, of: Any) -> float:
    found = [of(one.run) for one in lives if one.run.machine == machine]
    return float(sum(found) / len(found))


def _transitions(run: Run) -> int:
    return run.execution.transitions


def _invocations(run: Run) -> int:
    return len(run.invocations)


def _varied(lives: Sequence[Counted]) -> list[str]:
    steady = [kind.value for kind in Kind if kind not in MEASURED]
    return [
        name
        for name in steady
        if any(len({one.kinds.get(name, 0) for one in lives if one.run.machine == m}) > 1 for m in ("rotate", "retire"))
    ]


def _cost(measured: Measured, secrets: Sequence[str]) -> dict[str, Any]:
    by_secret = {secret: _kinds(measured, secret) for secret in secrets}
    sweeps = SWEEPS_PER_DAY * DAYS
    swept = bill(measured.sweep, 1)
    return {
        "per_rotations": ROTATIONS,
        "region": REGION,
        "prices_read_on": READ_ON,
        "prices": {kind.value: asdict(price) for kind, price in PRICES.items()},
        "credentials": {secret: _bill(counts) for secret, counts in by_secret.items()},
        "sweep": {
            "days": DAYS,
            "sweeps": sweeps,
            "dollars": total(swept) / ROTATIONS * sweeps,
            "dearest": swept[0].kind,
        },
    }


def _kinds(measured: Measured, secret: str) -> dict[str, float]:
    """Kinds of one life: counted ones in the mean, GB-seconds of the cold lives that nothing stood between."""
    lives = _of(measured.counted, secret)
    counts: dict[str, float] = {}
    for one in lives:
        for name, count in one.kinds.items():
            counts[name] = counts.get(name, 0.0) + count
    cold = [run for run in measured.timed.cold if run.secret == secret]
    begun = sum(run.machine == "rotate" for run in cold)
    seconds = ratios.gb_seconds(cold) / begun if begun else 0.0
    return {name: count / _rotations(lives) for name, count in counts.items()} | {Kind.GB_SECOND.value: seconds}


def _bill(counts: Mapping[str, float]) -> dict[str, Any]:
    lines = bill(counts, 1)
    whole = total(lines)
    unverified = sum(line.dollars for line in lines if not line.verified)
    return {
        "dollars": whole,
        "dearest": lines[0].kind,
        "unverified_share": unverified / whole,
        "lines": [asdict(line) for line in lines],
        "free": free(counts, 1),
    }


def _timed(timed: Timed, secrets: Sequence[str]) -> dict[str, Any]:
    return {
        "bare_round_trip_ms": asdict(ratios.spread(1_000 * one for one in timed.bare_s)),
        "credentials": {secret: _times(timed, secret) for secret in secrets},
        "cold_to_warm": ratios.cold_to_warm(timed.cold, timed.warm),
    }


def _times(timed: Timed, secret: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for machine in ("rotate", "retire"):
        warm = [run for run in timed.warm if (run.secret, run.machine) == (secret, machine)]
        cold = [run for run in timed.cold if (run.secret, run.machine) == (secret, machine)]
        found[machine] = {
            "busy_ms": asdict(ratios.spread(1_000 * ratios.busy(run) for run in warm)),
            "busy_to_bare": asdict(ratios.to_bare(warm, timed.bare_s, ratios.busy)),
            "asked_to_bare": asdict(ratios.to_bare(warm, timed.bare_s, ratios.asked)),
            "cold_to_warm": ratios.spread(map(ratios.busy, cold)).median / ratios.spread(map(ratios.busy, warm)).median,
            "shares": ratios.shares(warm),
        }
    return found


def _rounded(document: Any) -> Any:
    if isinstance(document, float):
        return float(f"{document:.{_DIGITS}g}")
    if isinstance(document, dict):
        return {name: _rounded(value) for name, value in document.items()}
    return [_rounded(value) for value in document] if isinstance(document, list) else document
