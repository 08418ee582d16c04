"""What a run that went well leaves to be seen: an overlap that lasts, or a retirement that follows at once.

After an emergency control starts the retirement itself; it is watched to its proof. Other overlaps are the schedule's.
"""

from __future__ import annotations

import time
from functools import partial

from keyturn.answers import Overlap
from keyturn.console import moment
from keyturn.control import Control
from keyturn.errand import Ending, Errand, watched
from keyturn.retirement import Retirement


def after(control: Control, ended: Ending, reason: str, stack: str) -> tuple[list[Ending], str]:
    """The retirement that was watched, if one follows at once; and what to say of an overlap that is open."""
    head = control.status([ended.secret])[0].head
    opened = next((one for one in (head.overlap, head.retired) if one and one.run_id == ended.run_id), None)
    if opened is None:
        return [], ""
    if opened.emergency:
        return [watched(_retirement(control, ended.secret, opened, reason), stack)], ""
    until = moment(opened.retire_at)
    return [], f"version {opened.old.id} stays valid until {until}; the schedule retires it then"


def _retirement(control: Control, secret: str, overlap: Overlap, reason: str) -> Errand:
    ask = partial(control.retire, secret, reason)
    return Errand(secret, "retire", Retirement(control, secret, overlap, ask, time.monotonic, expected=True))
