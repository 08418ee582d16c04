"""The functions' zips, built beforehand into `build/functions/`.

A preview must work before a build: it may use an empty archive, which an apply refuses. Not here: how zips are built.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pulumi

from infra.config import ROOT
from rotation.errors import Refused

ZIPS = ROOT / "build" / "functions"
_PLACEHOLDER = "the zip is not built yet"


def check_zips(kinds: Sequence[str], folder: Path = ZIPS) -> None:
    """Refused `zip_missing` names every zip that an apply would need; a preview needs none."""
    missing = [f"{kind}.zip" for kind in kinds if not (folder / f"{kind}.zip").is_file()]
    if missing and not pulumi.runtime.is_dry_run():
        where = f"{folder.relative_to(ROOT)}" if folder.is_relative_to(ROOT) else str(folder)
        raise Refused("zip_missing", f"{where} lacks {', '.join(missing)}", "run `make build`, then repeat")


def code(kind: str, folder: Path = ZIPS) -> pulumi.Archive:
    """The function's code."""
    path = folder / f"{kind}.zip"
    if path.is_file():
        return pulumi.FileArchive(str(path))
    return pulumi.AssetArchive({"README": pulumi.StringAsset(_PLACEHOLDER)})


def stored(kind: str, folder: Path = ZIPS) -> pulumi.Asset:
    """The same zip as an object for the bucket."""
    path = folder / f"{kind}.zip"
    return pulumi.FileAsset(str(path)) if path.is_file() else pulumi.StringAsset(_PLACEHOLDER)
