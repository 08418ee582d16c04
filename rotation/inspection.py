"""A look for repair: what the store shows whoever made it, and what the target says to each version that matters.

Reads and probes only; made in the store's function, because control speaks with neither store nor target. The answer
holds ids, verdicts and codes, never a value. Control compares it with the ledger (`control.diagnosis`).
"""

from __future__ import annotations

from typing import TypedDict, cast

from rotation.context import Context, version_in
from rotation.contract import Pending, Version
from rotation.errors import KeyturnError, Throttled, Unavailable
from rotation.handwork import VersionTeller, by_hand, current_of

# What is said instead of a verdict of what a person makes: no value is read to find out.
BY_HAND = "by-hand"
# The phase by which control asks for a look.
INSPECT = "inspect"


class Shown(TypedDict):
    """One version: `verdict` and `code` are the target's, or "" and why it could not be shown to it."""

    id: str
    path: str
    readable: bool
    verdict: str
    code: str


class PendingShown(TypedDict):
    """One pending version. `owner`: the run that staged it, where the store tells."""

    id: str
    path: str
    owner: str
    empty: bool


class Inspected(TypedDict):
    """`current`: what readers get, by the store's own pointer. `shown` by role: store, ledger, staged, old, pending.

    twin: what readers get is the credential of the ledger's version, put once more under another id; candidate: it is
    that of the staged one, which somebody else made current.
    """

    outcome: str
    current: str
    pendings: list[PendingShown]
    shown: dict[str, Shown]
    twin: bool
    candidate: bool


def inspect(context: Context) -> Inspected:
    """Look at the run's secret; `run.leftover` names the run whose candidate is in question. Raises as the store."""
    if by_hand(context.policy.credential):
        return _told(context)
    survey = context.store.survey(context.policy.ref, context.run.current)
    roles = {"store": survey.current, "ledger": context.run.current, "staged": _staged(context)}
    if context.run.overlap:
        roles["old"] = context.run.overlap.old
    full = [pending.version for pending in survey.pendings if not pending.empty]
    if full:
        roles["pending"] = full[0]
    shown = {role: _shown(context, version) for role, version in roles.items() if version is not None}
    return Inspected(
        outcome="passed",
        current=survey.current.id if survey.current else "",
        pendings=[_pending(pending) for pending in survey.pendings],
        shown=shown,
        twin=_same(context, survey.current, roles["ledger"]),
        candidate=survey.current is not None
        and (survey.current == roles["staged"] or _same(context, survey.current, roles["staged"])),
    )


def _told(context: Context) -> Inspected:
    """The same of what people change by hand: no value is read, and nobody is asked whether it works."""
    current = current_of(cast("VersionTeller", context.store).versions(context.policy.ref))
    roles = {"store": current, "ledger": context.run.current.id if context.run.current else ""}
    shown = {
        role: Shown(id=version, path="", readable=True, verdict=BY_HAND, code="")
        for role, version in roles.items()
        if version
    }
    return Inspected(outcome="passed", current=current, pendings=[], shown=shown, twin=False, candidate=False)


def _same(context: Context, current: Version | None, known: Version | None) -> bool:
    if current is None or known is None or current == known:
        return False
    try:
        return context.read(current).same_credential(context.read(known))
    except (Throttled, Unavailable):
        raise
    except KeyturnError:
        return False


def _staged(context: Context) -> Version | None:
    """What the run in question has staged, as the ledger knows it."""
    if not context.run.leftover:
        return None
    return version_in(context.ledger.run(context.run.leftover)[1].get("stage"))


def _shown(context: Context, version: Version) -> Shown:
    found = Shown(id=version.id, path=version.path, readable=False, verdict="", code="")
    try:
        value = context.read(version)
    except (Throttled, Unavailable):
        raise
    except KeyturnError as exc:
        return {**found, "code": exc.reason}
    if not context.issuer.capabilities.has_target:
        return {**found, "readable": True, "verdict": "not-applicable"}
    probe = context.issuer.probe(value)
    return {**found, "readable": True, "verdict": probe.verdict.value, "code": probe.code}


def _pending(pending: Pending) -> PendingShown:
    version = pending.version
    return PendingShown(id=version.id, path=version.path, owner=pending.owner, empty=pending.empty)
