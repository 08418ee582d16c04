"""The bytes of an asset or archive of the program, exactly as the file has them.

A zip is never packed again: its digest is what was built, and what the deployment ledger names. Archives that are no
file are refused: the program uses one as a placeholder in a preview only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi


def content(asset: Any) -> bytes:
    """The bytes; ValueError for what is neither a file nor a text."""
    if isinstance(asset, pulumi.FileAsset | pulumi.FileArchive) and Path(asset.path).is_file():
        return Path(asset.path).read_bytes()
    if isinstance(asset, pulumi.StringAsset):
        return asset.text.encode()
    raise ValueError(f"the sandbox takes a file or a text, not this {type(asset).__name__}")
