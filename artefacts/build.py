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
from artefacts.keeping import alone, keep, kept, made_of
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
    """One function's zip: the one that is there, if it was made of the same, else a new one.

    Making it again with nothing changed writes the same bytes.
    """
    sources = {name: (root / name).read_bytes() for name in shipped_files(function, root)}
    tree = package_files(root)
    cache, path = out.parent / "function-dependencies", out / f"{function.name}.zip"
    with alone(cache, function.name):
        dependencies = bundle(function, root, cache)
        wanted = made_of(sources, tree, dependencies)
        facts = kept(path, wanted)
        if facts is not None:
            return Artefact(path=path, **facts)
        check_closure(function, _texts(sources), tree, _top_level_names(dependencies))
        artefact = _made(function, root, sources, dependencies, path)
        keep(path, wanted, artefact.sha256, {key: value for key, value in vars(artefact).items() if key != "path"})
        return artefact


def _made(function: Function, root: Path, sources: dict[str, bytes], dependencies: Path, path: Path) -> Artefact:
    path.parent.mkdir(parents=True, exist_ok=True)
    compiled = bytecode.compile_files(root, list(sources)) if bytecode.is_possible() else {}
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
