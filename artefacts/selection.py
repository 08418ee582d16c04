"""Which files of `rotation/` one function ships, decided by the table; refuses what the table leaves open.

Whether the chosen modules find everything that they import is `closure`'s question.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from artefacts.table import EVERYWHERE, FUNCTIONS, GUARDED, Function
from rotation.errors import Refused

_PACKAGE = "rotation"


def shipped_files(function: Function, root: Path, functions: Sequence[Function] = FUNCTIONS) -> list[str]:
    """Paths below `root`, sorted. Refused `module_missing` or `module_unassigned`, naming every offender."""
    files = package_files(root)
    _check_every_pattern_matches(function, files)
    _check_nothing_is_unassigned(files, functions)
    return [
        f"{_PACKAGE}/{file}" for file in files if not _is_guarded(file) or _matches(file, EVERYWHERE + function.owned)
    ]


def package_files(root: Path) -> list[str]:
    """Every file of `rotation/`, below it, sorted; no byte code."""
    package = root / _PACKAGE
    found = (path.relative_to(package) for path in package.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if "__pycache__" not in path.parts)


def _is_guarded(file: str) -> bool:
    return PurePosixPath(file).parts[0] in GUARDED


def _matches(file: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(file, pattern) for pattern in patterns)


def _check_every_pattern_matches(function: Function, files: Sequence[str]) -> None:
    missing = [pattern for pattern in function.owned if not any(fnmatchcase(file, pattern) for file in files)]
    if missing:
        named = ", ".join(f"{_PACKAGE}/{pattern}" for pattern in missing)
        raise Refused(
            "module_missing",
            f"the {function.name} function needs {named}, which the tree does not have",
            "write the module, or change the function's row in artefacts/table.py",
        )


def _check_nothing_is_unassigned(files: Sequence[str], functions: Sequence[Function]) -> None:
    known = EVERYWHERE + tuple(pattern for function in functions for pattern in function.owned)
    strays = [file for file in files if _is_guarded(file) and not _matches(file, known)]
    if strays:
        named = ", ".join(f"{_PACKAGE}/{file}" for file in strays)
        raise Refused(
            "module_unassigned",
            f"no function ships {named}",
            "name the module in the row of the function that needs it, or in EVERYWHERE, in artefacts/table.py",
        )
