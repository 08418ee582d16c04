"""Builds the function zips: dependencies first, then what the table chooses of `rotation/`, with byte code."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zipfile import ZipFile

from artefacts import bytecode
from artefacts.closure import check_closure
from artefacts.dependencies import bundle
from artefacts.selection import package_files, shipped_files
from artefacts.table import FUNCTIONS, Function
from artefacts.zips import write_zip
from rotation.errors import Refused

DEFAULT_OUT = Path("build/functions")
# Lambda's limits: a zip sent directly, and the function unpacked with its layers.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_ZIP_BYTES = 50 * 1024 * 1024
MAX_UNPACKED_BYTES = 250 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """One function zip. `bytes` is its size; `sha256` is that of the file, in hexadecimal."""

    name: str
    path: Path
    sha256: str
    bytes: int
    unpacked_bytes: int
    source_or_bytecode: Literal["source", "bytecode"]


def build_all(root: Path, out: Path = DEFAULT_OUT) -> list[Artefact]:
    """Every function of the table, to `out` (below `root` unless absolute). KeyturnError says why one cannot be."""
    # uv and the compiler are processes and zlib leaves the interpreter: threads use every processor
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return list(pool.map(lambda function: build(function, root, root / out), FUNCTIONS))


def build(function: Function, root: Path, out: Path) -> Artefact:
    """One function's zip. Repeating it with nothing changed writes the same bytes."""
    names = shipped_files(function, root)
    sources = {name: (root / name).read_bytes() for name in names}
    dependencies = bundle(function, root, out.parent / "function-dependencies")
    check_closure(function, _texts(sources), package_files(root), _top_level_names(dependencies))
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{function.name}.zip"
    compiled = bytecode.compile_files(root, names) if bytecode.is_possible() else {}
    write_zip(path, sources | compiled, base=dependencies)
    return _artefact(function, path)


def _texts(sources: dict[str, bytes]) -> dict[str, str]:
    return {name: content.decode() for name, content in sources.items() if name.endswith(".py")}


def _top_level_names(dependencies: Path) -> set[str]:
    with ZipFile(dependencies) as archive:
        return {name.partition("/")[0].partition(".")[0] for name in archive.namelist()}


def _artefact(function: Function, path: Path) -> Artefact:
    content = path.read_bytes()
    with ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    artefact = Artefact(
        name=function.name,
        path=path,
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        unpacked_bytes=unpacked,
        source_or_bytecode="bytecode" if bytecode.is_possible() else "source",
    )
    check_size(artefact)
    return artefact


def check_size(artefact: Artefact) -> None:
    """Refused `artefact_too_large` when Lambda would not take it."""
    if artefact.bytes > MAX_ZIP_BYTES or artefact.unpacked_bytes > MAX_UNPACKED_BYTES:
        raise Refused(
            "artefact_too_large",
            f"{artefact.name}.zip has {artefact.bytes} bytes, {artefact.unpacked_bytes} unpacked",
            f"Lambda takes {MAX_ZIP_BYTES} and {MAX_UNPACKED_BYTES}: prune more in artefacts/pruning.py",
        )
