"""Imported first by every handler: no garbage collection while the handler's modules are imported.

Importing an SDK makes tens of thousands of objects that all stay; looking through them again and again for garbage
cost about a tenth of a cold start (measured with `python -m artefacts report`). `done` is each handler's last line.
"""

from __future__ import annotations

import gc

gc.disable()


def done() -> None:
    """Collect again from here on, without looking at what was imported."""
    gc.freeze()
    gc.enable()
