"""Zips are built side by side: reading their modules must hold that."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from artefacts.closure import check_closure
from artefacts.selection import package_files, shipped_files
from artefacts.table import FUNCTIONS

ROOT = Path(__file__).resolve().parents[3]
THREADS = 4


@pytest.fixture
def restless_interpreter() -> Iterator[None]:
    """Collects garbage and changes threads as often as it can, so that two parses meet."""
    threshold, interval = gc.get_threshold(), sys.getswitchinterval()

    def lets_others_run(phase: str, info: object) -> None:
        sum(range(1_000))

    gc.callbacks.append(lets_others_run)
    gc.set_threshold(5)
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*threshold)
    gc.callbacks.remove(lets_others_run)


def test_modules_of_several_zips_are_read_at_once(restless_interpreter: None) -> None:
    function = next(f for f in FUNCTIONS if f.name == "control")
    names = [name for name in shipped_files(function, ROOT) if "control" in name]
    sources = {name: (ROOT / name).read_text() for name in names}

    def read(_: int) -> None:
        check_closure(function, sources, package_files(ROOT), set())

    with ThreadPoolExecutor(THREADS) as pool:
        for outcome in [pool.submit(read, turn) for turn in range(THREADS)]:
            error = outcome.exception()
            assert not isinstance(error, SystemError), error
