"""What a fresh process spends on importing a function's handler, as a ratio to importing its SDKs alone.

Both from the same unpacked zip, and both sides end with the same SDKs loaded, so that a handler which defers them gains
nothing: the ratio is what `rotation` adds. Medians of interleaved runs, the order swapped each time. Processor time:
an import waits for nothing but the disk, whose files are in the page cache here, and on a machine with neighbours the
clock's ratio of one tree was seen between 1.1 and 1.4. The interpreter's own start is not counted: it would flatter.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from artefacts.build import Artefact
from artefacts.table import Function
from rotation.errors import Refused

# Odd, so that the median is a run; enough that one run disturbed by a neighbour does not move it.
RUNS = 9
# What the handler may cost over its SDKs.
BUDGET = 1.25
_TIMEOUT_S = 60
_TIMED_IMPORT = """
import importlib, sys, time
sys.path.insert(0, sys.argv[1])
started = time.process_time()
for name in sys.argv[2:]:
    importlib.import_module(name)
print(time.process_time() - started)
"""


@dataclass(frozen=True, kw_only=True)
class ColdImport:
    """Processor seconds of each side, run by run: `handler_s[n]` and `sdks_s[n]` were measured one after the other."""

    handler_s: tuple[float, ...]
    sdks_s: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Handler to bare SDKs, the median over the pairs: half the spread of a ratio of medians, in 40 runs of each.

        1.0 means that `rotation` costs nothing.
        """
        return median(handler / sdks for handler, sdks in zip(self.handler_s, self.sdks_s, strict=True))


def measure(function: Function, artefact: Artefact, runs: int = RUNS) -> ColdImport:
    """Unpack and time. Refused `handler_fails` when the handler cannot be imported from its zip alone."""
    sides = {"handler": (function.handler, *function.sdks), "sdks": function.sdks}
    times: dict[str, list[float]] = {side: [] for side in sides}
    with TemporaryDirectory() as unpacked:
        with ZipFile(artefact.path) as archive:
            archive.extractall(unpacked)
        for modules in sides.values():
            import_seconds(Path(unpacked), modules)
        for run in range(runs):
            for side in sorted(sides, reverse=bool(run % 2)):
                times[side].append(import_seconds(Path(unpacked), sides[side]))
    return ColdImport(handler_s=tuple(times["handler"]), sdks_s=tuple(times["sdks"]))


def import_seconds(unpacked: Path, modules: tuple[str, ...]) -> float:
    """Import `modules` in order in a fresh process that sees the standard library and `unpacked` only."""
    done = subprocess.run(  # noqa: S603 - this interpreter, on a constant script
        [sys.executable, "-I", "-S", "-B", "-c", _TIMED_IMPORT, str(unpacked), *modules],
        env={},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1]
        raise Refused("handler_fails", f"importing {modules[0]} from its zip alone fails: {reason}")
    return float(done.stdout)
