"""The command as an on-call engineer runs it against the sandbox: what it printed, and the command that it printed.

Run in this process, which spares a second of imports for each call; everything below the command line is as deployed.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import pytest
from runs_stack import Stack

from keyturn.app import main
from keyturn.exits import Exit
from keyturn.stack import ROOT
from sandbox.layout import DIRECTORY_VARIABLE

WHY = "the alarm of tonight"
# As `repair` prints it below its safe action.
_PRINTED = re.compile(r"does it: `(keyturn .+)`")


@dataclass(frozen=True, kw_only=True)
class Said:
    """How a command ended. `document` is what it said to programs, `told` what it said to people."""

    code: int
    document: dict[str, Any]
    told: str

    @property
    def found(self) -> list[dict[str, Any]]:
        """The diagnoses of the last look at the only secret that was asked for."""
        (case,) = self.document["secrets"]
        seen: list[dict[str, Any]] = case["found"]["diagnoses"]
        return seen

    @property
    def kinds(self) -> list[str]:
        return [one["kind"] for one in self.found]


@dataclass(frozen=True)
class Command:
    """`keyturn` for one sandbox."""

    stack: Stack

    def __call__(self, *arguments: str) -> Said:
        """Run `keyturn ... --json`; whatever it prints on standard output is one document."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setenv(DIRECTORY_VARIABLE, str(self.stack.layout.root))
            code = main([*arguments, "--json"])
        assert "Traceback" not in out.getvalue() + err.getvalue()
        assert not [value for value in self.stack.known if value in out.getvalue() + err.getvalue()]
        return Said(code=code, document=json.loads(out.getvalue()), told=err.getvalue())

    def well(self, *arguments: str) -> dict[str, Any]:
        """The same for what has to go well; the document."""
        said = self(*arguments)
        assert said.code == Exit.DONE, (said.document, said.told)
        return said.document

    def printed(self, told: str) -> str:
        """The command that a look printed below its safe action, with a reason in it."""
        found = _PRINTED.search(told)
        assert found, told
        return found.group(1).replace("WHY", shlex.quote(WHY))

    def typed(self, line: str) -> tuple[int, str]:
        """A command line as a process of its own: exit code, and all that it printed."""
        environment = {**os.environ, DIRECTORY_VARIABLE: str(self.stack.layout.root)}
        words = [sys.executable, "-m", *shlex.split(line)]
        done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
        return done.returncode, done.stdout + done.stderr

    def sees(self, secret: str, kind: str, action: str) -> Said:
        """What `repair` says of a secret: this, on evidence, and the one safe action; it does nothing by itself."""
        said = self("repair", secret)
        first = said.found[0]
        assert (first["kind"], (first["action"] or {}).get("name", "")) == (kind, action), said.told
        assert first["evidence"]
        assert said.code == (Exit.NOT_AGREED if action else Exit.UNDECIDABLE)
        return said

    def mends(self, seen: Said) -> Said:
        """The command that `repair` printed, as it printed it; afterwards it finds nothing any more."""
        said = self(*shlex.split(self.printed(seen.told))[1:])
        assert (said.code, said.kinds) == (Exit.DONE, ["healthy"]), said.told
        return said

    def repairs(self, secret: str, kind: str, action: str) -> dict[str, Any]:
        """See, mend; the first action as it ended."""
        seen = self.sees(secret, kind, action)
        done: dict[str, Any] = self.mends(seen).document["secrets"][0]["rounds"][0]
        assert done["action"] == action
        return done
