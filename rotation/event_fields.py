"""Reading a function's event: a field that is missing or of another kind is refused by name, never a KeyError.

Events come from state machines of this or an older version and from people; nothing of an event is quoted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rotation.errors import Refused


def text(event: Mapping[str, Any], name: str) -> str:
    """A text that is not empty; Refused `bad_event` names the field."""
    found = event.get(name)
    if not isinstance(found, str) or not found:
        raise _bad(name, "a text")
    return found


def number(event: Mapping[str, Any], name: str) -> int:
    """A whole number; Refused `bad_event` names the field."""
    found = event.get(name)
    # a number that went through a state machine may come back as 2.0
    if isinstance(found, float) and found.is_integer():
        return int(found)
    if isinstance(found, bool) or not isinstance(found, int):
        raise _bad(name, "a whole number")
    return found


def flag(event: Mapping[str, Any], name: str) -> bool:
    """True or false; Refused `bad_event` names the field."""
    found = event.get(name)
    if not isinstance(found, bool):
        raise _bad(name, "true or false")
    return found


def texts(event: Mapping[str, Any], name: str) -> list[str]:
    """A list of texts, which may be empty; Refused `bad_event` names the field."""
    found = event.get(name)
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise _bad(name, "a list of texts")
    return list(found)


def mapping(event: object, name: str = "") -> dict[str, Any]:
    """An object: the field `name`, or without a name the event itself; Refused `bad_event`."""
    found = event.get(name) if name and isinstance(event, Mapping) else event
    if not isinstance(found, Mapping):
        raise _bad(name, "an object")
    return dict(found)


def _bad(name: str, wanted: str) -> Refused:
    where = f"`{name}` of the event" if name else "the event"
    return Refused("bad_event", f"{where} has to be {wanted}", "send what the state machine or the command sends")
