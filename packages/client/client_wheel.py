"""Builds the wheel of the consumer library: a build backend (PEP 517) of the standard library, which needs no index.

A wheel is a zip with the files and three of metadata (PEP 427, PEP 566, PEP 376). The library is taken from where it is
developed, `keyturn/client`, and nothing else of `keyturn` comes with it: that name is a namespace in the wheel. Not
here: source distributions, editable installs.
"""  # noqa: INP001 - pip imports it by path

from __future__ import annotations

import base64
import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]
_PACKAGE = _ROOT / "keyturn" / "client"
# The earliest moment that a zip can say: the bytes depend on names and contents only.
_EPOCH = (1980, 1, 1, 0, 0, 0)
# Read by everyone, as other installed files.
_MODE = 0o644 << 16
_WHEEL = "Wheel-Version: 1.0\nGenerator: keyturn\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def get_requires_for_build_wheel(config_settings: Mapping[str, Any] | None = None) -> list[str]:
    """Nothing."""
    del config_settings
    return []


def build_wheel(
    wheel_directory: str, config_settings: Mapping[str, Any] | None = None, metadata_directory: str | None = None
) -> str:
    """Write the wheel into a folder; its file name."""
    del config_settings, metadata_directory
    project = tomllib.loads((_HERE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    stem = f"{project['name'].replace('-', '_')}-{project['version']}"
    members = {str(path.relative_to(_ROOT)): path.read_bytes() for path in sorted(_sources())}
    members[f"{stem}.dist-info/METADATA"] = _metadata(project).encode()
    members[f"{stem}.dist-info/WHEEL"] = _WHEEL.encode()
    record = f"{stem}.dist-info/RECORD"
    lines = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in members.items()]
    members[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    name = f"{stem}-py3-none-any.whl"
    with ZipFile(Path(wheel_directory) / name, "w") as wheel:
        for member, content in members.items():
            entry = ZipInfo(member, _EPOCH)
            entry.external_attr = _MODE
            wheel.writestr(entry, content, compress_type=ZIP_DEFLATED)
    return name


def _sources() -> list[Path]:
    return [*_PACKAGE.rglob("*.py"), _PACKAGE / "py.typed"]


def _metadata(project: Mapping[str, Any]) -> str:
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {project['name']}",
        f"Version: {project['version']}",
        f"Summary: {project['description']}",
        f"Requires-Python: {project['requires-python']}",
        *(f"Requires-Dist: {needed}" for needed in project["dependencies"]),
    ]
    for extra, needs in project["optional-dependencies"].items():
        lines.append(f"Provides-Extra: {extra}")
        lines.extend(f'Requires-Dist: {needed} ; extra == "{extra}"' for needed in needs)
    return "\n".join([*lines, ""])


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
