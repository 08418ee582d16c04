"""The small programs on the PATH through which the real `pulumi` command finds the sandbox's providers.

The command looks for `pulumi-resource-<package>` on the PATH before any installed plugin, starts it and reads a
port from its first line. Apart from the process itself (`plugin.py`), so that writing them needs no handler.
`python -m sandbox.engine.plugins` writes them into the sandbox's directory and prints the folder for the PATH.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.layout import CHECKOUT, DIRECTORY_VARIABLE, Layout

PACKAGES = ("aws", "gcp", "github", "vault")
# it names this machine's paths, which are nobody else's business
_MODE = 0o700


def write_plugins(directory: Path, python: Path, sandbox: Path) -> list[Path]:
    """Write `pulumi-resource-<package>` for every package into `directory`, to be put first on the PATH.

    Args:
        directory: made when absent.
        python: an interpreter that has the project's packages.
        sandbox: the sandbox's directory, unless KEYTURN_SANDBOX_DIR says otherwise when the command runs.
    """
    directory.mkdir(parents=True, exist_ok=True)
    return [_write(directory / f"pulumi-resource-{package}", package, python, sandbox) for package in PACKAGES]


def _write(path: Path, package: str, python: Path, sandbox: Path) -> Path:
    start = shlex.join([str(python), "-m", "sandbox.engine.plugin", package])
    lines = (
        "#!/bin/sh",
        f'[ -n "${DIRECTORY_VARIABLE}" ] || {DIRECTORY_VARIABLE}={shlex.quote(str(sandbox))}',
        f"export {DIRECTORY_VARIABLE}",
        f"PYTHONPATH={shlex.quote(str(CHECKOUT))} exec {start}",
    )
    path.write_text("\n".join(lines) + "\n")
    path.chmod(_MODE)
    return path


def main() -> None:
    """Write the plugins of this environment's sandbox; they go when the sandbox is cleaned away."""
    layout = Layout.from_env()
    try:
        layout.claim()
    except SandboxError as error:
        sys.exit(f"{error.message}; {error.remedy}")
    directory = layout.root / "plugins"
    write_plugins(directory, Path(sys.executable), layout.root)
    print(directory)


if __name__ == "__main__":
    main()
