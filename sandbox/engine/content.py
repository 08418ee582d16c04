"""What an asset or archive contains, as a hash: two paths with equal content are the same asset.

Archives given as one file are hashed as that file, which is right for zips that are built deterministically;
folders are hashed by name and content of what is in them. Deliberately not here: fetching remote assets, which are
named by their URI.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pulumi

from sandbox.engine.errors import EngineError


def digest(file: pulumi.Asset | pulumi.Archive) -> str:
    """SHA-256 in hex of the content; EngineError `asset_missing` when a file is not there."""
    match file:
        case pulumi.StringAsset():
            return hashlib.sha256(file.text.encode()).hexdigest()
        case pulumi.FileAsset() | pulumi.FileArchive():
            return _path_digest(Path(str(file.path)))
        case pulumi.AssetArchive():
            return _combined({name: digest(item) for name, item in file.assets.items()})
        case pulumi.RemoteAsset() | pulumi.RemoteArchive():
            return hashlib.sha256(str(file.uri).encode()).hexdigest()
    raise EngineError("asset_unknown", f"{type(file).__name__} is no asset that the local engine can read")


def _path_digest(path: Path) -> str:
    if path.is_dir():
        found = sorted(entry for entry in path.rglob("*") if entry.is_file())
        return _combined({entry.relative_to(path).as_posix(): _path_digest(entry) for entry in found})
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        remedy = "build the artefacts first (`make build`), or correct the path in the program"
        raise EngineError("asset_missing", f"the asset {path.name} cannot be read: {error.strerror}", remedy) from None


def _combined(digests: dict[str, str]) -> str:
    lines = "".join(f"{name}\0{value}\n" for name, value in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
