"""Run on its own: writes the policies of one folder as documents. `python -I policy_dump.py FOLDER OUTPUT`.

In a process of its own because a revision brings its own `rotation.policy`, and because its files are programs. Writes
`{"policies": [...]}`, or `{"wrong": "policies/name.py:3: what"}` when they cannot be imported. Standard library only:
nothing of this checkout is imported here.
"""

from __future__ import annotations

import json
import sys
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

_FOLDER = "policies"


def main(folder: str, output: str) -> None:
    """Import `policies` from `folder` and write what is there to `output`."""
    # before everything that is installed, a checkout among it
    sys.path.insert(0, folder)
    try:
        from policies import ALL  # noqa: PLC0415  # the folder's own, found only now

        found: dict[str, Any] = {"policies": [asdict(policy) for policy in ALL]}
    except Exception as exc:  # noqa: BLE001  # whatever a policy file does wrong is its author's to mend
        found = {"wrong": f"{_place(exc)}: {type(exc).__name__}: {getattr(exc, 'msg', None) or exc}"}
    Path(output).write_text(json.dumps(found), encoding="utf-8")


def _place(exc: Exception) -> str:
    if isinstance(exc, SyntaxError) and exc.filename:
        return f"{_FOLDER}/{Path(exc.filename).name}:{exc.lineno}"
    frames = traceback.extract_tb(exc.__traceback__)
    inside = [frame for frame in frames if Path(frame.filename).parent.name == _FOLDER]
    return f"{_FOLDER}/{Path(inside[-1].filename).name}:{inside[-1].lineno}" if inside else f"{_FOLDER}/"


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
