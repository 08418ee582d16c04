"""Zip files whose bytes depend on nothing but names and contents: sorted, fixed time, fixed permissions, fixed level.

Two machines whose zlib differs may compress to other bytes; the deployment takes digests from the machine that built.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

# The earliest time that the format can say.
_EPOCH = (1980, 1, 1, 0, 0, 0)
# Read by everyone, as the runtime's user is not the owner; nothing in a function is executed as a program.
_MODE = stat.S_IFREG | 0o644
# Unix, so that the permissions above are read as such wherever the zip was built.
_UNIX = 3
# zlib's default: level 9 makes these zips 0.3 % smaller and takes half as long again.
_LEVEL = 6


def write_zip(path: Path, members: Mapping[str, bytes], base: Path | None = None) -> None:
    """`members` after those of the zip `base`, whose compressed bytes are taken as they are. Atomic: all or nothing."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    mode: Literal["a", "w"] = "w"
    if base is not None:
        shutil.copyfile(base, partial)
        mode = "a"
    with ZipFile(partial, mode) as archive:
        for name in sorted(members):
            archive.writestr(_entry(name), members[name], compress_type=ZIP_DEFLATED, compresslevel=_LEVEL)
    partial.replace(path)


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, _EPOCH)
    entry.external_attr = _MODE << 16
    entry.create_system = _UNIX
    return entry
