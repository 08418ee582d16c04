"""Run as a program by an unprivileged user: a whole life of a sandbox, told as JSON lines.

ordinary_user.py live DIRECTORY CLOUD_PYTHON     up, status, a refused password, down, remove
ordinary_user.py intrude DIRECTORY               try what belongs to somebody else
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from pg8000.exceptions import DatabaseError

from sandbox import lifecycle
from sandbox.errors import SandboxError
from sandbox.layout import Layout
from sandbox.parts.postgres_roles import connect


def live(directory: str, cloud_python: str) -> dict[str, object]:
    layout = Layout(Path(directory), cloud_python=Path(cloud_python))
    facts = lifecycle.up(layout)
    try:
        states = {s.part: s.state for s in lifecycle.status(layout)}
        owners = {Path(f"/proc/{s.pid}").stat().st_uid for s in lifecycle.status(layout)}
        try:
            connect(facts.postgres_port, "keyturn_authority", "wrong")
        except DatabaseError as exc:
            refusal = exc.args[0]["C"]
        outside = layout.outside.exists()
        stopped = lifecycle.down(layout)
    finally:
        lifecycle.remove(layout)
    return {
        "uid": os.geteuid(),
        "states": states,
        "owners": sorted(owners),
        "refusal": refusal,
        "outside": outside,
        "stopped": sorted(stopped),
        "left": layout.root.exists(),
    }


def intrude(directory: str) -> dict[str, object]:
    layout = Layout(Path(directory))
    reasons = {}
    for verb in (lifecycle.up, lifecycle.down, lifecycle.status, lifecycle.remove):
        try:
            verb(layout)
            reasons[verb.__name__] = "allowed"
        except SandboxError as exc:
            reasons[verb.__name__] = exc.reason
    return reasons


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"live": live, "intrude": intrude}[sys.argv[1]](*sys.argv[2:])))
