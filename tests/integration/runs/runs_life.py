"""The life of a credential on the deployed stack, from its first value to the proof of its death, told once.

The story is played once per deployment, for all credentials at the same time, and the tests judge what was seen on the
way: by readers of the store, by the target, by the ledger.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from runs_credentials import ALL, Credential
from runs_stack import Ended, Stack
from runs_stores import Reader, Seen

# Between two looks of a reader: many fit into the warm-up, and the machine is left to work.
LOOK_PAUSE_S = 0.02


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a reader got; the answer was made between `began` and `ended`."""

    began: datetime
    ended: datetime
    live: Seen
    ledger_current: str


@dataclass(kw_only=True)
class Life:
    """What was seen. `shown`: what the target said to the old and new credential at each stage."""

    first: Ended
    second: Ended
    retired: Ended
    old: Seen
    new: Seen
    live_at_last: Seen
    old_at_last: str | None = field(repr=False)
    looks: list[Look] = field(default_factory=list)
    shown: dict[str, str] = field(default_factory=dict)


def live_all(stack: Stack, *, watched: bool) -> dict[str, Life]:
    """The lives of all credentials, by name. `watched`: a reader looks on while the second rotation runs."""
    with ThreadPoolExecutor(len(ALL)) as pool:
        lives = pool.map(lambda credential: _live(stack, credential, watched=watched), ALL)
        return {credential.name: life for credential, life in zip(ALL, lives, strict=True)}


def _live(stack: Stack, credential: Credential, *, watched: bool) -> Life:
    shown: dict[str, str] = {}
    looks: list[Look] = []
    with closing(credential.reader(stack)) as reader:
        first = stack.rotate(credential.name)
        old = reader.live()
        shown["old, only one"] = credential.show(stack.facts, old.text)
        with _watching(stack, credential, reader, looks if watched else None):
            second = stack.rotate(credential.name)
        new = reader.live()
        shown["old, in the overlap"] = credential.show(stack.facts, old.text)
        shown["new, in the overlap"] = credential.show(stack.facts, new.text)
        retired = stack.retire(credential.name)
        shown["old, retired"] = credential.show(stack.facts, old.text)
        shown["new, alone"] = credential.show(stack.facts, new.text)
        return Life(
            first=first,
            second=second,
            retired=retired,
            old=old,
            new=new,
            live_at_last=reader.live(),
            old_at_last=reader.at(old.version),
            looks=looks,
            shown=shown,
        )


@contextmanager
def _watching(stack: Stack, credential: Credential, reader: Reader, looks: list[Look] | None) -> Iterator[None]:
    """Look at the live version all the time, in a thread of its own."""
    if looks is None:
        yield
        return
    over = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        watch = pool.submit(_watch, stack, credential, reader, looks, over)
        try:
            yield
        finally:
            over.set()
        watch.result()


def _watch(stack: Stack, credential: Credential, reader: Reader, looks: list[Look], over: threading.Event) -> None:
    while not over.wait(LOOK_PAUSE_S):
        began = datetime.now(UTC)
        live, current = reader.live(), stack.row(f"secret#{credential.name}", "head")["current"]["M"]["id"]["S"]
        looks.append(Look(began=began, ended=datetime.now(UTC), live=live, ledger_current=current))
