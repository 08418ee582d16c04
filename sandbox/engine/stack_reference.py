"""Outputs of another stack, for `pulumi.StackReference`: read from the state files that lie beside this one.

Secret outputs are not in a state file, so a reference never gives them; asking for one finds nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sandbox.engine import state
from sandbox.engine.errors import EngineError
from sandbox.engine.sealing import is_sealed

TYPE = "pulumi:pulumi:StackReference"


def outputs(beside: Path, project: str, reference: str) -> dict[str, Any]:
    """The properties of a reference `stack`, `project/stack` or `org/project/stack`; EngineError when absent."""
    *front, stack = reference.split("/")
    wanted = (front[-1] if front else project, stack)
    for path in sorted(beside.glob("*.json")):
        document = _state_in(path)
        if (document.get("project"), document.get("stack")) == wanted:
            return _properties(reference, document["outputs"])
    remedy = "apply that stack first; its state file has to lie in the same folder"
    raise EngineError("unknown_stack", f"no state of stack {reference} is known here", remedy)


def _state_in(path: Path) -> dict[str, Any]:
    """The document, empty for a file that is no state: other things may lie in the folder."""
    try:
        return state.read(path)
    except EngineError:
        return {}


def _properties(reference: str, found: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": reference,
        "outputs": {key: value for key, value in found.items() if not is_sealed(value)},
        "secretOutputNames": sorted(key for key, value in found.items() if is_sealed(value)),
    }
