"""The compiler's own process: `python -S -P compiler.py ROOT TARGET`, names as a JSON list on standard input.

Imports the standard library only, and no more of it than it needs.
"""

from __future__ import annotations

import importlib.util
import json
import marshal
import sys
import warnings
from pathlib import Path

# "A hash follows, and it is not checked", of the .pyc format (PEP 552).
_UNCHECKED_HASH = (1).to_bytes(4, "little")
# The last version of the format without back references: whether a later one writes a reference
# depends on how many others hold the object in the compiling process. Costs a quarter more byte code; no difference in
# import time was found.
_MARSHAL_VERSION = 2


def compiled(source: bytes, name: str) -> bytes:
    """The content of the .pyc of `source`. `name` is relative; the importer replaces it by the real path."""
    code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    head = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(source)
    return head + marshal.dumps(code, _MARSHAL_VERSION)


def main(root: Path, target: Path) -> None:
    """Compile every named file below `root` to its place in `__pycache__` below `target`."""
    warnings.simplefilter("ignore")
    for name in json.load(sys.stdin):
        destination = target / importlib.util.cache_from_source(name)
        destination.parent.mkdir(parents=True, exist_ok=True)
        destination.write_bytes(compiled((root / name).read_bytes(), name))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
