"""The policies of this checkout, imported where a file that is broken can be told with its place.

The files are programs that people write: whatever goes wrong in one is theirs to mend, no defect of the command. Not
here: whether policies that can be imported make sense (`infra.resolved`).
"""

from __future__ import annotations

import runpy
import traceback
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from keyturn.stack import ROOT
from policy_rules.rule import file_of
from rotation.errors import KeyturnError, Refused

if TYPE_CHECKING:
    from rotation.policy import Policy

FOLDER = "policies"


def all_policies() -> tuple[Policy, ...]:
    """`policies.ALL`; Refused `bad_policies` with file and line of every one that cannot be imported."""
    try:
        from policies import ALL  # noqa: PLC0415  # a broken file must not break the command's own import
    except Exception as exc:
        message = "\n  ".join(["policies are wrong:", *_wrong(exc)])
        raise Refused("bad_policies", message, f"correct {FOLDER}/ and repeat") from exc
    return ALL


def names() -> list[str]:
    """Of the policies, whatever else is wrong with them."""
    return [str(policy.name) for policy in all_policies() if hasattr(policy, "name")]


def typed_policies() -> tuple[Policy, ...]:
    """The same, for who reads their fields; Refused `bad_policies` with every field of another type."""
    from policy_rules.check import well_typed  # noqa: PLC0415  # slow to import, and the shell completes with this file

    policies = all_policies()
    if problems := well_typed(policies)[2]:
        told = "\n  ".join(["policies are wrong:", *map(str, problems)])
        raise Refused("bad_policies", told, "`keyturn policy lint` says everything")
    return policies


def _wrong(exc: Exception) -> list[str]:
    """What stopped the import, and what would stop it in the other files."""
    found = [f"{_place(exc)}: {_problem(exc)}"]
    for path in _files():
        try:
            runpy.run_path(str(path))
        except Exception as other:  # noqa: BLE001  # whatever a policy file does wrong is its author's to mend
            found.append(f"{_place(other)}: {_problem(other)}")
    return list(dict.fromkeys(found))


def _files() -> list[Path]:
    spec = find_spec(FOLDER)
    places = spec.submodule_search_locations if spec else None
    return [path for place in places or () for path in sorted(Path(place).glob("*.py")) if path.name != "__init__.py"]


def unlisted() -> list[str]:
    """Files of the folder whose policy is not in `policies.ALL`, so that nothing rotates by it."""
    listed = {file_of(name) for name in names()}
    files = (f"{FOLDER}/{path.name}" for path in _files())
    return [file for file in files if file not in listed]


def _place(exc: Exception) -> str:
    """`policies/name.py:3`: where the text cannot be read, or the last line of a policy that was being run."""
    if isinstance(exc, SyntaxError) and exc.filename:
        return _shown(exc.filename, exc.lineno)
    frames = traceback.extract_tb(exc.__traceback__)
    inside = [frame for frame in frames if Path(frame.filename).parent.name == FOLDER]
    return _shown(inside[-1].filename, inside[-1].lineno) if inside else f"{FOLDER}/"


def _shown(filename: str, line: int | None) -> str:
    path = Path(filename)
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else Path(path.parent.name, path.name)
    return f"{shown}:{line or 1}"


def _problem(exc: Exception) -> str:
    if isinstance(exc, KeyturnError):
        return f"{exc.message}: {exc.remedy}" if exc.remedy else exc.message
    return f"{type(exc).__name__}: {exc.msg if isinstance(exc, SyntaxError) else exc}"
