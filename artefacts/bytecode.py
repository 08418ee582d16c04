"""Byte code for the runtime: the same bytes from the same source, wherever and whenever it was compiled.

Beside the sources, not instead of them: over a dozen interleaved runs the import times did not differ, and a
traceback keeps its lines. `unchecked-hash`, so that the runtime neither compares times (a zip has none)
nor reads the sources.
The compiler runs in a process of its own (`compiler`), because what a process interned before reaches the bytes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from rotation.errors import Refused

# The functions' managed runtime, python3.11; byte code of another minor version would be ignored by it.
RUNTIME = (3, 11)
# Sets and frozensets are built in the order of string hashes.
_ENVIRONMENT = {"PYTHONHASHSEED": "0"}
# The largest set of dependencies takes about two seconds; a machine under load ten times that.
_TIMEOUT_S = 120


def is_possible() -> bool:
    """Whether this interpreter makes byte code that the runtime reads."""
    return sys.version_info[:2] == RUNTIME


def compile_files(root: Path, names: Sequence[str]) -> dict[str, bytes]:
    """Byte code of the `.py` among `names` (below `root`), by the name it ships under. Refused `source_invalid`."""
    sources = sorted(name for name in names if name.endswith(".py"))
    with TemporaryDirectory() as target:
        # -S and -P: nothing of the building environment is imported before the first file is compiled
        command = [sys.executable, "-S", "-P", str(Path(__file__).with_name("compiler.py")), str(root), target]
        done = subprocess.run(  # noqa: S603 - this interpreter, on a script of this package
            command,
            input=json.dumps(sources),
            env=_ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            reason = done.stderr.strip().splitlines()[-1:] or ["the compiler said nothing"]
            raise Refused("source_invalid", f"a module does not compile: {reason[0]}")
        compiled = Path(target)
        return {path.relative_to(compiled).as_posix(): path.read_bytes() for path in compiled.rglob("*.pyc")}
