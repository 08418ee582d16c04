"""A policy's fields and values in the words of people: `overlap_s` 86400 is `overlap` `24 h`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from policy_rules.rule import length

# Stands where there is nothing.
NOTHING = "none"


def label(field: str) -> str:
    """`overlap_s` as `overlap`, `consumers.web.lead_s` as `consumers.web.lead`."""
    return field.removesuffix("_s").replace("_", " ")


def said(field: str, value: Any) -> str:
    """A value of a document as people would say it."""
    if field in _FORMS and value:
        return _FORMS[field](value)
    if field.endswith("_s") and isinstance(value, int):
        return length(value) if value else NOTHING
    if isinstance(value, Mapping):
        # a fact of the stack, which every stack fills in for itself
        return f"<{value['name']}>" if value.keys() == {"name"} else _joined(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(said("", one) for one in value) or NOTHING
    return str(value) if value not in (None, "") else NOTHING


def _joined(value: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {said(name, one)}" for name, one in value.items()) or NOTHING


def _window(found: Any) -> str:
    days = ",".join(found["days"]) or "every day"
    return f"{days} {found['opens']:02}:00-{found['opens'] + found['hours']:02}:00 UTC"


def _freezes(found: Any) -> str:
    return "; ".join(f"{one['first']} to {one['last']} ({one['why']})" for one in found)


def _approval(found: Any) -> str:
    return f"{' or '.join(found['approvers'])} within {length(found['expires_s'])}"


def _consumer(found: Any) -> str:
    role = f" as {said('', found['role'])}" if found.get("role") else ""
    return f"{found['kind']} within {length(found['lead_s'])}{role}"


def _consumers(found: Any) -> str:
    if isinstance(found, Mapping):
        return _consumer(found)
    return "; ".join(f"{one['name']}: {_consumer(one)}" for one in found)


def _waiver(found: Any) -> str:
    return f"until {found['expires']} ({found['owner']}: {found['why']})"


def _waivers(found: Any) -> str:
    if isinstance(found, Mapping):
        return _waiver(found)
    return "; ".join(f"{one['rule']} {_waiver(one)}" for one in found)


_FORMS: Mapping[str, Callable[[Any], str]] = {
    "window": _window,
    "freezes": _freezes,
    "approval": _approval,
    "consumers": _consumers,
    "waivers": _waivers,
}
