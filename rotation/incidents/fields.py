"""Fields of an event from outside: bounded, of the characters that names and references have, redacted by shape.

What is wrong is said by the field's name; nothing of the event is quoted, because anybody may have written it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from rotation.errors import Refused
from rotation.ledger.moments import timestamp
from rotation.redaction import REDACTED, Redactor

# An ARN of a role's session with the longest path, role and session name that IAM allows.
LONGEST = 1_024
# What names, ARNs, paths, mail addresses and links are written with. No white space: a line of a log stays one line.
_PLAIN = re.compile(r"[A-Za-z0-9._:/@+=,~#?&%*-]+")
# Clocks of services that keep time differ by less; an event from later than this was made up, or its clock is broken.
AHEAD = timedelta(minutes=5)
_REDACTOR = Redactor()


def plain(event: Mapping[str, Any], name: str, *, longest: int = LONGEST) -> str:
    """A text that has to be there; Refused `bad_event`."""
    found = event.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= longest or not _PLAIN.fullmatch(found):
        raise bad(name, f"a text of 1 to {longest} letters, digits and ._:/@+=,~#?&%*-")
    return found


def shown(event: Mapping[str, Any], name: str) -> str:
    """A text for people that may be missing, without what looks like a credential; Refused `bad_event`."""
    if event.get(name) in (None, ""):
        return ""
    clean = _REDACTOR.text(plain(event, name))
    return "redacted" if REDACTED in clean else clean


def moment(event: Mapping[str, Any], name: str, now: str) -> str:
    """A time with a zone, as the ledger writes it; Refused `bad_event`, `event_from_the_future`."""
    try:
        found = datetime.fromisoformat(plain(event, name))
        at = found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        at = None
    if at is None:
        raise bad(name, "a time in ISO 8601 with its zone")
    if at > datetime.fromisoformat(now) + AHEAD:
        raise Refused(
            "event_from_the_future",
            f"`{name}` of the event lies ahead of our clock",
            "check the clock of whoever sent it, and send it again",
        )
    return timestamp(at)


def part(event: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object; an empty one where it is missing. Refused `bad_event`."""
    found = event.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise bad(name, "an object")
    return found


def bad(name: str, wanted: str) -> Refused:
    """The refusal of a field."""
    return Refused("bad_event", f"`{name}` of the event has to be {wanted}", "send what docs/triggers.md describes")
