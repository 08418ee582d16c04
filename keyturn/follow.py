"""Many journeys side by side: a round of looks, a picture of where they are, a pause, until all have ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from keyturn.journey import Journey

# Looks at once; a look is one invocation of the control function, whose concurrency others share.
_WIDTH = 2
# Between two rounds: well below a phase, well above an invocation.
_PAUSE_S = 0.25


def follow(
    journeys: Sequence[Journey],
    show: Callable[[Sequence[Journey]], None],
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Advance all to their ends. KeyboardInterrupt passes: what was started goes on without us."""
    with ThreadPoolExecutor(_WIDTH) as pool:
        while under_way := [journey for journey in journeys if not journey.done]:
            list(pool.map(Journey.advance, under_way))
            show(journeys)
            pause(_PAUSE_S)
