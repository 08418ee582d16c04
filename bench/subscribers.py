"""How long 50 subscribers take to use a new version: from the label's move, and from the publishing, to the last word.

Three lanes of so many rotations each: with Redis up; with Redis stopped and started again in the middle of every
rotation, after the new version is prepared and before the label moves, so that nobody listens when it is announced; and
with Redis down, where subscribers find the version by polling. Absolute times are of one machine and one day; the
ratios between the lanes say more. Not here: the machines, whose states take what an emulator makes of them.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

from bench.subscribers_file import LANES, ratios, spread
from bench.subscribers_place import Place, place
from bench.subscribers_world import Moments, Subscribed
from keyturn.telling import Tell
from rotation.control.desk import run_id_of
from sandbox.layout import CHECKOUT
from sandbox.parts.redis import start_redis, stop_redis

SUBSCRIBERS, ROTATIONS = 50, 100
# One for each core of the machine that the results are of.
PROCESSES = 2
# While Redis can be heard nobody polls, or hardly ever, as by default.
SELDOM_S = 900.0
# Of the lane without Redis; the default would take a quarter of an hour for every rotation.
POLL_S = 1.0
# Reached only where something is broken.
PATIENCE_S = 60.0


def measured(tell: Tell, rotations: int = ROTATIONS) -> dict[str, Any]:
    """The document: a lane after the other, each with subscribers of its own."""
    lanes = {}
    with place() as found:
        for lane in LANES:
            tell.heading(f"{rotations} rotations, {SUBSCRIBERS} subscribers, Redis {lane}")
            with _lane(found, lane):
                lanes[lane] = spread(_rotated(found.world, lane, rotations))
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "commit": _commit(),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "load_at_end": round(os.getloadavg()[0], 1),
        },
        "subscribers": SUBSCRIBERS,
        "processes": PROCESSES,
        "rotations": rotations,
        "poll_s": POLL_S,
        "lanes": lanes,
        "ratios": {lane: ratios(lanes[lane], lanes["up"]) for lane in LANES[1:]},
    }


@contextmanager
def _lane(found: Place, lane: str) -> Iterator[None]:
    """Subscribers that have acknowledged the version before, and what happens to Redis."""
    world, begun = found.world, f"{lane}-first"
    _check(world.rotate(begun), begun)
    with ExitStack() as opened:
        for number in range(PROCESSES):
            opened.enter_context(_subscribing(found.told, number, POLL_S if lane == "down" else SELDOM_S))
        world.wait_for_all(run_id_of(begun), SUBSCRIBERS, PATIENCE_S)
        if len(world.moments) > 1:
            _check(world.retire(f"{begun}-retire"), begun)
        world.before = _nothing
        if lane == "down":
            stop_redis(found.folder)
            # it is said a hundred times that an event was not sent, and the file says it once
            logging.getLogger("keyturn").setLevel(logging.ERROR)
        elif lane == "restarted":
            world.before = lambda: _restart(found)
        yield


def _nothing() -> None:
    """Redis stays as it is."""


def _restart(found: Place) -> None:
    stop_redis(found.folder)
    start_redis(found.folder, found.lone)


def _rotated(world: Subscribed, lane: str, rotations: int) -> list[Moments]:
    """Each to its retirement, which waits for all of them as ever."""
    made = []
    for number in range(rotations):
        execution = f"{lane}-{number}"
        _check(world.rotate(execution), execution)
        made.append(world.wait_for_all(run_id_of(execution), SUBSCRIBERS, PATIENCE_S))
        _check(world.retire(f"{execution}-retire"), execution)
    return made


def _check(status: str, execution: str) -> None:
    if status != "succeeded":
        raise AssertionError(f"{execution}: {status}")


@contextmanager
def _subscribing(told: Mapping[str, Any], number: int, poll_s: float) -> Iterator[None]:
    """A process of subscribers, until the block ends."""
    count = SUBSCRIBERS // PROCESSES
    given = json.dumps({**told, "first": number * count, "count": count, "poll_s": poll_s})
    with subprocess.Popen(
        [sys.executable, "-m", "bench.subscribers_child"], cwd=CHECKOUT, stdin=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdin is not None  # noqa: S101 - it is a pipe
            process.stdin.write(given + "\n")
            process.stdin.flush()
            yield
        finally:
            process.terminate()


def _commit() -> str:
    """Of the tree that was measured, with a plus where it was changed since; "" outside a checkout."""
    asked = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(asked, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
