"""What an installed package carries that a function never reads: left out of the zip, by declared rules on path names.

Every rule is proven by `tests/unit/artefacts`, which makes a client of each SDK from the unpacked zip. Google's REST
and asyncio transports stay: the client's module imports them unconditionally.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from pathlib import PurePosixPath

# Of a distribution's metadata only these are read at run time (`importlib.metadata.version`, `entry_points`).
_METADATA_KEPT = frozenset({"METADATA", "entry_points.txt"})
# For type checkers and compilers.
_SUFFIXES = frozenset({".pyi", ".pyx", ".pxd", ".c", ".h"})
_FOLDERS = frozenset({"test", "tests", "__pycache__"})
_NAMES = frozenset({".lock", "py.typed", "examples-1.json"})
_PREFIXES = (
    # console scripts
    "bin/",
    # boto3's resource interface and its documentation; functions use clients
    "boto3/data/",
    "boto3/examples/",
    # earlier interfaces of Secret Manager, which nothing of version 1 imports
    "google/cloud/secretmanager_v1beta",
)
_MODELS = PurePosixPath("botocore/data")
# botocore/data/SERVICE/DATE/FILE
_MODEL_DEPTH = 5


def kept(names: Iterable[str], services: AbstractSet[str]) -> list[str]:
    """Those of `names` (POSIX paths below the installation) that ship, sorted."""
    everything = sorted(names)
    latest = _latest_models(everything)
    return [name for name in everything if _is_needed(PurePosixPath(name)) and _is_asked_for(name, services, latest)]


def _is_needed(path: PurePosixPath) -> bool:
    if path.parts[0].endswith(".dist-info"):
        return path.name in _METADATA_KEPT
    wanted = path.suffix not in _SUFFIXES and path.name not in _NAMES and not str(path).startswith(_PREFIXES)
    return wanted and _FOLDERS.isdisjoint(path.parts)


def _is_asked_for(name: str, services: AbstractSet[str], latest: AbstractSet[PurePosixPath]) -> bool:
    """Files beside the services (endpoints, partitions, retries) always; of a service asked for, its newest model."""
    path = PurePosixPath(name)
    if _MODELS not in path.parents or len(path.parts) < _MODEL_DEPTH:
        return True
    return path.parts[2] in services and path.parent in latest


def _latest_models(names: Iterable[str]) -> set[PurePosixPath]:
    newest: dict[str, PurePosixPath] = {}
    for name in names:
        path = PurePosixPath(name)
        if _MODELS in path.parents and len(path.parts) == _MODEL_DEPTH:
            # folders are dates, so that the last in order is the newest
            newest[path.parts[2]] = max(newest.get(path.parts[2], path.parent), path.parent)
    return set(newest.values())
