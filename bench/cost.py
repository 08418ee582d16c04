"""From counts to dollars: counts of some rotations, scaled to a thousand, times the unit prices.

A kind without a price that nobody called free is an error: a bill that leaves something out looks like a cheap one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.kinds import Kind
from bench.prices import FREE, PRICES
from rotation.errors import Refused

# What prices are given for.
ROTATIONS = 1_000


@dataclass(frozen=True, kw_only=True)
class Line:
    """One kind in the bill of a thousand rotations: how many, what they cost, which part of the whole that is."""

    kind: str
    count: float
    dollars: float
    share: float
    verified: bool
    counted: str


def bill(counts: Mapping[str, float], rotations: int) -> list[Line]:
    """The bill of a thousand rotations, the dearest first; `counts` were counted in `rotations` of them.

    Raises:
        Refused: `nothing_rotated` without a rotation or a count, `unpriced_kind` for a kind that has no price.
    """
    if rotations < 1 or not any(counts.values()):
        raise Refused("nothing_rotated", "nothing was rotated, so that nothing costs anything", "see what stopped it")
    kinds = {_known(name): count * ROTATIONS / rotations for name, count in counts.items()}
    dollars = {kind: count * PRICES[kind].each for kind, count in kinds.items() if kind in PRICES}
    whole = sum(dollars.values())
    lines = [_line(kind, kinds[kind], spent, whole) for kind, spent in dollars.items()]
    return sorted(lines, key=lambda line: (-line.dollars, line.kind))


def free(counts: Mapping[str, float], rotations: int) -> dict[str, float]:
    """What a thousand rotations use and nobody bills, by kind."""
    return {
        name: count * ROTATIONS / rotations for name, count in sorted(counts.items()) if _known(name) in FREE and count
    }


def total(lines: list[Line]) -> float:
    """Dollars of the whole bill."""
    return sum(line.dollars for line in lines)


def _known(name: str) -> Kind:
    try:
        kind = Kind(name)
    except ValueError:
        kind = None
    if kind is None or (kind not in PRICES and kind not in FREE):
        raise Refused(
            "unpriced_kind",
            f"`{name}` was counted and has no price",
            "add it to bench/prices.py, or say why it is free",
        )
    return kind


def _line(kind: Kind, count: float, spent: float, whole: float) -> Line:
    price = PRICES[kind]
    share = spent / whole if whole else 0.0
    return Line(kind=kind, count=count, dollars=spent, share=share, verified=price.verified, counted=price.counted)
