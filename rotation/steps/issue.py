"""Credentials that their target makes itself and shows once: part of the step `stage`, and of its undoing.

The order of the other types, store before target, is impossible here: the value comes into being at the target. So the
intent of `stage` is written first, with what the target held then; the value goes from the target's answer to the
store's pending place in memory. Whoever dies between the two leaves one credential whose value nobody has. The next
attempt, or the undoing, removes it, once the target shows it for certain.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from rotation.context import Context
from rotation.contract import Minted, Version
from rotation.errors import NotFound, Unavailable
from rotation.ledger.moments import timestamp
from rotation.ledger.records import StepRecord
from rotation.minting import Attempt, TargetMinter
from rotation.steps.settle import is_over
from rotation.value import SecretValue

# What `TargetMinter.held` said, among the fields of an intent.
_HELD = "held_"
# An invocation ends after a minute at the latest (`definition`); a request of it is answered a few seconds later.
_LONGEST_INVOCATION = timedelta(seconds=65)


def intend(context: Context, earlier: StepRecord | None, current: SecretValue | None) -> dict[str, str]:
    """What the target holds before this run changes it; an earlier attempt saw it without what it left itself.

    Unavailable `target_settling` while the target may not show yet what that one left.
    """
    if earlier is not None:
        _wait_for(context, earlier)
        return {name: text for name, text in earlier.intent.items() if name.startswith(_HELD)}
    # a leftover was removed just now
    held = _minter(context).held(current, _retired(context), settled=not context.run.leftover)
    return {f"{_HELD}{name}": text for name, text in held.items()}


def make(context: Context) -> Minted:
    """Let the target make the credential, after it has removed what an earlier attempt of this run left."""
    return _minter(context).make(_attempt(context.steps["stage"]))


def facts_of(minted: Minted) -> dict[str, str]:
    """What the step `stage` keeps of it: nothing secret."""
    return {"fingerprint": minted.value.fingerprint(), **{f"public_{k}": v for k, v in minted.public.items()}}


def found(context: Context, staged: Version) -> Minted:
    """What an earlier attempt staged before it died."""
    value = context.read(staged)
    return Minted(value=value, public=_minter(context).public(value))


def unmake(context: Context) -> int:
    """Remove what this run's attempts left, whose value is lost; returns how many. None is, where `stage` passed."""
    record = context.steps["stage"]
    if record.done and record.facts.get("version"):
        return 0
    _wait_for(context, record)
    return _minter(context).unmake(_attempt(record))


def _wait_for(context: Context, record: StepRecord) -> None:
    if not is_over(context, record.begun_at or record.intent_at, context.issuer.capabilities.settle_s):
        raise Unavailable(
            "target_settling",
            "the target may not show yet what an attempt that broke off has left there",
            "wait; the state machine retries",
        )


def _attempt(record: StepRecord) -> Attempt:
    ends = datetime.fromisoformat(record.begun_at or record.intent_at) + _LONGEST_INVOCATION
    held = {k.removeprefix(_HELD): v for k, v in record.intent.items() if k.startswith(_HELD)}
    return Attempt(held=held, since=record.intent_at, until=timestamp(ends))


def _retired(context: Context) -> SecretValue | None:
    """The credential that the ledger calls revoked: it may take up room at the target."""
    way = context.ledger.head(context.run.secret).retired
    if way is None:
        return None
    try:
        return context.read(way.old)
    except NotFound:
        # the store gave it up; what takes up room is then nobody's
        return None


def _minter(context: Context) -> TargetMinter:
    """The issuer, whose flag `mints_at_target` says that it is one."""
    return cast("TargetMinter", context.issuer)
