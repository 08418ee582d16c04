"""`python -m keyturn`."""

from __future__ import annotations

import sys

from keyturn.app import main

if __name__ == "__main__":
    sys.exit(main())
