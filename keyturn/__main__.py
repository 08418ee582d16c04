"""`python -m keyturn`.

The command is imported inside the guard: importing takes long enough to be interrupted, and `main` cannot catch what
happens before it is there.
"""

from __future__ import annotations

import sys

# `keyturn.exits` has it too, behind the imports that this is about.
_INTERRUPTED = 130


def run() -> int:
    """Import the command and run it; its exit code."""
    try:
        from keyturn.app import main  # noqa: PLC0415  # see above

        return main()
    except KeyboardInterrupt:
        sys.stderr.write(f"interrupted: reason interrupted, exit code {_INTERRUPTED}\n")
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(run())
