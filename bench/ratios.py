"""What times say: ratios to a bare round trip of the same run, shares of phases, cold to warm; medians with spread.

A time of one machine says little about another; how many round trips a rotation takes, and where, carries over better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.runs import Run
from rotation.errors import Refused

# The machine's own part, beside the names of its tasks.
BETWEEN = "between states"


@dataclass(frozen=True, kw_only=True)
class Spread:
    """`n` samples."""

    median: float
    least: float
    most: float
    n: int


def spread(samples: Iterable[float]) -> Spread:
    """Of at least one sample; Refused `nothing_rotated` of none."""
    found = list(samples)
    if not found:
        raise Refused("nothing_rotated", "there is not one run to take times of", "see what stopped it")
    return Spread(median=median(found), least=min(found), most=max(found), n=len(found))


def to_bare(runs: Sequence[Run], bare_s: Sequence[float], seconds: Callable[[Run], float]) -> Spread:
    """How many bare round trips (their median) fit into a run."""
    yardstick = spread(bare_s).median
    return spread(seconds(run) / yardstick for run in runs)


def busy(run: Run) -> float:
    """Seconds of a run without the waits that its policy asks for."""
    return run.execution.busy_s


def asked(run: Run) -> float:
    """Seconds of the verb that started it."""
    return run.asked_s


def shares(runs: Sequence[Run]) -> dict[str, float]:
    """Median share of each phase in the busy time, in the machine's order; what is left is the machine's own."""
    parts: dict[str, list[float]] = {}
    for run in runs:
        for name, seconds in {**run.execution.tasks, BETWEEN: run.execution.between_s}.items():
            parts.setdefault(name, []).append(seconds / busy(run))
    return {name: median(found) for name, found in parts.items()}


def cold_to_warm(cold: Sequence[Run], warm: Sequence[Run]) -> dict[str, dict[str, float]]:
    """For each function and phase that a cold process began: medians in ms, of the same phase warm, and their ratio."""
    found: dict[str, dict[str, float]] = {}
    for place, cold_ms in sorted(_first_ms(cold).items()):
        warm_ms = _all_ms(warm).get(place)
        if warm_ms:
            slow, quick = median(cold_ms), median(warm_ms)
            found[": ".join(place)] = {"cold_ms": slow, "warm_ms": quick, "ratio": slow / max(quick, 1.0)}
    return found


def gb_seconds(runs: Sequence[Run]) -> float:
    """Of all invocations."""
    return sum(one.gb_seconds for run in runs for one in run.invocations)


_Place = tuple[str, str]


def _first_ms(runs: Sequence[Run]) -> dict[_Place, list[int]]:
    """The first invocation of each function in each run: the one that found no process."""
    found: dict[_Place, list[int]] = {}
    for run in runs:
        begun: set[str] = set()
        for one in run.invocations:
            if one.function not in begun:
                begun.add(one.function)
                found.setdefault((one.function, one.what), []).append(one.billed_ms)
    return found


def _all_ms(runs: Sequence[Run]) -> dict[_Place, list[int]]:
    found: dict[_Place, list[int]] = {}
    for run in runs:
        for one in run.invocations:
            found.setdefault((one.function, one.what), []).append(one.billed_ms)
    return found
