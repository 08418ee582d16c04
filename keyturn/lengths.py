"""Lengths of time and moments as people write them on a command line: `24h`, `2026-12-24T18:00Z`.

Wrong ones are refused with what would be right. A moment without a zone is refused, never guessed: at night, in another
country, it would be hours off.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import typer

_LENGTH = re.compile(r"(\d+)\s*(s|min|m|h|d)")
_SECONDS = {"s": 1, "min": 60, "m": 60, "h": 3_600, "d": 86_400}
# Longer than any freeze or overlap that somebody means, and short of what a date can hold.
_LONGEST_S = 366 * 86_400


def length(text: str) -> int:
    """Seconds of `90s`, `30min`, `24h` or `2d`; BadParameter for anything else, nothing, and more than a year."""
    found = _LENGTH.fullmatch(text.strip().lower())
    if found is None:
        raise typer.BadParameter(f"`{text}` is no length of time: write it like 30min, 24h or 2d")
    seconds = int(found.group(1)) * _SECONDS[found.group(2)]
    if not 0 < seconds <= _LONGEST_S:
        raise typer.BadParameter(f"`{text}` has to be more than nothing and at most a year")
    return seconds


def end(until: str, lasting: str, now: datetime) -> datetime:
    """The moment that `--until` or `--for` names, in UTC; BadParameter unless exactly one does, and in the future."""
    if until and lasting:
        raise typer.BadParameter("give only one of --until and --for: they may name two ends")
    if not until and not lasting:
        raise typer.BadParameter("say when it ends: --until 2026-12-24T18:00Z, or --for 24h")
    if lasting:
        return now + timedelta(seconds=length(lasting))
    named = instant(until)
    if named <= now:
        raise typer.BadParameter(f"`{until}` has passed: name a time to come")
    return named


def instant(text: str) -> datetime:
    """A moment with its zone, in UTC; BadParameter for anything else."""
    try:
        named = datetime.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(f"`{text}` is no time: write it like 2026-12-24T18:00Z") from None
    if named.tzinfo is None:
        raise typer.BadParameter(f"`{text}` names no zone: write {named.isoformat(timespec='minutes')}Z for UTC")
    return named.astimezone(UTC)
