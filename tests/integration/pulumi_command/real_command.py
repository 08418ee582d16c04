"""Runs the real `pulumi` command as a user of the sandbox would: plugins first on the PATH, a backend of files."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from checkout_copy import Place

TOOL = "pulumi"
STACK_TYPE = "pulumi:pulumi:Stack"
# A verb takes half a minute; many times that on a machine that does other work.
_LONGEST_S = 300
# what would lead the command to somebody's account or settings
_FOREIGN = ("PULUMI_", "AWS_", "VAULT_", "GOOGLE_", "GITHUB_", "KEYTURN_", "PYTHONPATH")
_COUNT = re.compile(r"^\s+(?:\S\s)?(\d+) (created|updated|deleted|replaced|unchanged)$", re.MULTILINE)


class Command:
    """The command in one copy of the checkout; `home` takes everything that it keeps."""

    def __init__(self, place: Place, home: Path) -> None:
        self._root = place.root
        self._home = home
        (home / "backend").mkdir(parents=True)
        self.plugins = self._module("sandbox.engine.plugins").strip()

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One verb, not interactive, to its end; whatever its exit code is."""
        environment = self._environment()
        environment["PATH"] = os.pathsep.join([self.plugins, environment["PATH"]])
        tool = shutil.which(TOOL, path=environment["PATH"])
        assert tool is not None
        return self._run([tool, *arguments, "--non-interactive", "--color", "never"], environment)

    def counts(self, *arguments: str) -> dict[str, int]:
        """What a verb that changes things did, by operation; it has to end well."""
        done = self(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        found = _COUNT.findall(done.stdout.rpartition("\nResources:")[2])
        assert found, done.stdout
        return {operation: int(number) for number, operation in found}

    def previewed(self, stack: str) -> dict[str, str]:
        """Operations of a preview by qualified name, the stack itself left out.

        A summary is printed of a failed preview too, so the exit code has to be 0.
        """
        done = self("preview", "--stack", stack, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        steps = {step["urn"].split("::", 2)[2]: step["op"] for step in json.loads(done.stdout)["steps"]}
        return {name: op for name, op in steps.items() if not name.startswith(f"{STACK_TYPE}::")}

    def recorded(self, stack: str) -> list[str]:
        """What the program declares for `stack` without the command: qualified names, in order."""
        return sorted(json.loads(self._module("infra.preview", "--stack", stack, "--json"))["resources"])

    def left_running(self) -> list[int]:
        """Processes that the command or its plugins left behind: whoever inherited its home."""
        needle = f"PULUMI_HOME={self._home}".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if needle in path.read_bytes().split(b"\0"):
                    found.append(int(path.parent.name))
        return found

    def _environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
        return {
            **kept,
            "PULUMI_HOME": str(self._home),
            "PULUMI_BACKEND_URL": f"file://{self._home / 'backend'}",
            "PULUMI_CONFIG_PASSPHRASE": "of a test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # a plugin that is not on the PATH is a failure, not a download
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }

    def _module(self, *arguments: str) -> str:
        done = self._run([str(self._root / ".venv/bin/python"), "-m", *arguments], self._environment())
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _run(self, command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        # the command and the project's own module
        return subprocess.run(  # noqa: S603
            command, cwd=self._root, env=environment, capture_output=True, text=True, check=False, timeout=_LONGEST_S
        )
