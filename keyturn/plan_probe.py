"""The preflights of several secrets, asked side by side; one that control cannot give is a finding about its secret.

Each takes some seconds where a target does not answer, so that a large stack would take minutes one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, nullcontext

from rich.status import Status

from keyturn.console import err
from keyturn.control import Control
from keyturn.plan_answers import Check, Preflight
from keyturn.remedies import general
from rotation.errors import KeyturnError

# Functions have a concurrency that runs need too; eight at a time look at a hundred secrets in half a minute.
_AT_ONCE = 8
# The check that stands for all others when control gave no answer.
_PREFLIGHT = "preflight"


def preflights(control: Control, secrets: Sequence[str]) -> dict[str, Preflight]:
    """By secret. Says on standard error how far it is."""
    found: dict[str, Preflight] = {}
    if not secrets:
        return found
    show, tell = _progress(len(secrets))
    with show, ThreadPoolExecutor(min(_AT_ONCE, len(secrets))) as pool:
        asked = [pool.submit(_preflight, control, secret) for secret in secrets]
        for one in as_completed(asked):
            preflight = one.result()
            found[preflight.secret] = preflight
            tell(len(found), preflight.secret)
    return found


def _preflight(control: Control, secret: str) -> Preflight:
    try:
        return control.probe(secret)
    except KeyturnError as exc:
        remedy = exc.remedy or general(exc.reason)
        check = Check(what=_PREFLIGHT, ok=False, says=f"{exc.message} [{exc.reason}]", remedy=remedy)
        return Preflight(secret=secret, checks=(check,))


def _progress(count: int) -> tuple[AbstractContextManager[object], Callable[[int, str], None]]:
    console = err()
    if not console.is_terminal:
        return nullcontext(), lambda done, secret: console.print(f"looked at {secret} from inside ({done} of {count})")
    status = Status(f"looking from inside: 0 of {count}", console=console)
    return status, lambda done, _: status.update(f"looking from inside: {done} of {count}")
