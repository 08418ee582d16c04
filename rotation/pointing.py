"""A look at one thing: which version of a secret the store's own pointer gives to readers.

No value is read, but for a static role of Vault, whose engine tells nothing without its password. Asked by the sweep
of a few secrets at a time, to find out whether somebody else moved it; what differs is looked at as for repair
(`inspection`).
"""

from __future__ import annotations

from typing import TypedDict

from rotation.probing import Subject

# The phase by which control asks.
POINT = "point"


class Pointed(TypedDict):
    """`current`: the store's id of what readers get, "" for nothing. lags: the pointer may still show an older one."""

    outcome: str
    current: str
    lags: bool


def point(subject: Subject) -> Pointed:
    """Ask the store. Raises as the store."""
    current = subject.store.pointed(subject.policy.ref)
    lags = subject.store.capabilities.lagging_pointer
    return Pointed(outcome="passed", current=current.id if current else "", lags=lags)
