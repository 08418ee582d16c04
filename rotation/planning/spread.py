"""Spreading rotations that would start together: a place between 0 and 1 that a secret always has."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from rotation.cadence import DAY_S, HOUR_S, Rate, read

# A cron names an hour, and whoever wrote it expects the rotation near it.
_CRON_SPREAD = timedelta(minutes=30)
# Of the time that is allowed, the first half is spread over, so that the other is left for what was held.
_SHARE = 2
# 64 bits of the hash are a place.
_BYTES = 8
_PLACES = float(1 << 8 * _BYTES)


def place(secret: str) -> float:
    """From 0 up to, not including, 1; the same in every process."""
    digest = hashlib.sha256(secret.encode()).digest()[:_BYTES]
    # a float would round the last few up to 1
    return (int.from_bytes(digest, "big") >> _BYTES) / (_PLACES / (1 << _BYTES))


def jitter(secret: str, cadence: str, allowed: timedelta) -> timedelta:
    """How long after it may start first a secret starts; always the same, so that intervals keep their length."""
    found = read(cadence)
    widest = _unit(found) if isinstance(found, Rate) else _CRON_SPREAD
    return timedelta(seconds=int(place(secret) * min(widest, allowed / _SHARE).total_seconds()))


def first_anchor(secret: str, cadence: str, now: datetime) -> datetime:
    """What the cadence of a policy counts from that is seen for the first time.

    A rate counts from somewhere in the interval that ends now, so that policies which are deployed together are not due
    together for ever; none is due at once, and none later than a whole interval from now.
    """
    found = read(cadence)
    if not isinstance(found, Rate):
        return now
    spread = now - timedelta(seconds=place(secret) * found.every_s)
    return min(_whole(found, spread) + _unit(found), _whole(found, now))


def anchor(cadence: str, started: datetime) -> datetime:
    """What the cadence counts from after a rotation that started then.

    A rate counts from the day (or hour) of the start, or each rotation's jitter would move all that follow, until they
    fall out of their window and every second one is missed.
    """
    found = read(cadence)
    return _whole(found, started) if isinstance(found, Rate) else started


def _unit(rate: Rate) -> timedelta:
    return timedelta(seconds=HOUR_S if rate.every_s % DAY_S else DAY_S)


def _whole(rate: Rate, moment: datetime) -> datetime:
    hour = moment.hour if rate.every_s % DAY_S else 0
    return moment.replace(hour=hour, minute=0, second=0, microsecond=0)
