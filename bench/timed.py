"""Timing: lives of every credential, warm and cold, with bare round trips between them, straight to the emulator.

One at a time, so that no run pays for another. Not here: what the times mean (`ratios`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.bare import BareTrip
from bench.place import Place
from bench.runs import Run, retire, rotate, wait_for_overlap

# Round trips beside each round: many times quicker than a run, so several for a steady median.
_TRIPS = 5


@dataclass(frozen=True, kw_only=True)
class Timed:
    """`bare_s`: round trips. `warm` and `cold`: runs that found their functions' processes there, or not."""

    bare_s: tuple[float, ...]
    warm: tuple[Run, ...]
    cold: tuple[Run, ...]


def first_values(place: Place, secrets: Sequence[str]) -> None:
    """Nothing is rotated before there is something to rotate. Refused `not_rotated`."""
    for secret in secrets:
        rotate(place, secret)


def take_times(place: Place, secrets: Sequence[str], rounds: int, cold_rounds: int) -> Timed:
    """`rounds` warm lives of each secret, `cold_rounds` cold ones. Refused `not_rotated`."""
    bare, trips = BareTrip(place.secrets), []
    warm: list[Run] = []
    for _ in range(rounds):
        trips += [bare.trip() for _ in range(_TRIPS)]
        warm += _round(place, secrets, cold=False)
    cold = [run for _ in range(cold_rounds) for run in _round(place, secrets, cold=True)]
    return Timed(bare_s=tuple(trips), warm=tuple(warm), cold=tuple(cold))


def _round(place: Place, secrets: Sequence[str], *, cold: bool) -> list[Run]:
    runs = []
    for secret in secrets:
        _ready(place, cold=cold)
        runs.append(rotate(place, secret))
    for secret in secrets:
        wait_for_overlap(place, secret)
        _ready(place, cold=cold)
        runs.append(retire(place, secret))
    return runs


def _ready(place: Place, *, cold: bool) -> None:
    if cold:
        place.functions.refresh()
