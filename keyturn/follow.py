"""Several courses side by side: a round of looks, a picture of where they are, a pause, until all have ended.

A course is a `Journey` of `rotate`, or an `Errand` of a verb that starts one run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from keyturn.watch import Watch

# Looks at once; a look is one invocation of the control function, whose concurrency others share.
_WIDTH = 2
# Between two rounds: well below a phase, well above an invocation.
_PAUSE_S = 0.25
# The same while nothing but people are waited for, who take minutes at best.
_PEOPLE_PAUSE_S = 5.0


class Course(Protocol):
    """What is followed: whose it is, where it is, and whether it has ended."""

    @property
    def secret(self) -> str:
        """Whose it is."""
        ...

    @property
    def stage(self) -> str:
        """Where it is, in a word or two."""
        ...

    @property
    def done(self) -> bool:
        """Nothing is left to look at."""
        ...

    @property
    def watched(self) -> Watch | None:
        """The run that is under way."""
        ...

    @property
    def behind(self) -> Sequence[Watch]:
        """Every run of it so far, for their phases."""
        ...

    @property
    def left_s(self) -> float:
        """Seconds left of a wait; 0 while there is none."""
        ...

    def advance(self) -> None:
        """One look."""
        ...


C = TypeVar("C", bound=Course)


def follow(
    courses: Sequence[C],
    show: Callable[[Sequence[C]], None],
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Advance all to their ends. KeyboardInterrupt passes: what was started goes on without us."""
    with ThreadPoolExecutor(_WIDTH) as pool:
        while under_way := [course for course in courses if not course.done]:
            list(pool.map(lambda course: course.advance(), under_way))
            show(courses)
            pause(_PEOPLE_PAUSE_S if all(_for_people(course) for course in under_way) else _PAUSE_S)


def _for_people(course: Course) -> bool:
    """Whether the run that is under way waits for approval."""
    watched = course.watched
    return bool(watched and watched.run and watched.run.waits)
