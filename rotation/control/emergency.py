"""Emergency rotations of one secret, a group or all: due rows with the slots that the stores' budgets allow.

Nothing is started here: the sweep does, within a few minutes, at the pace of the budgets, and goes on where it broke
off. One secret that cannot wait for the sweep is rotated by the verb `rotate`. Asking again for what is asked for
already changes nothing, so that an answer that was lost is no harm; a catalogue that is too large for one call is asked
for in pieces, which the answer says. What a store's own schedule rotates the sweep would leave alone: it is named, so
that a person rotates it there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from rotation.control.asked import BREAK_GLASS, EMERGENCY
from rotation.control.desk import Desk
from rotation.control.due_rows import read_all
from rotation.control.enrolment import take_in
from rotation.control.settling import KEYTURN
from rotation.errors import Refused, Unavailable
from rotation.event_fields import text
from rotation.ledger.due import Due
from rotation.ledger.moments import timestamp

# Rows of one call: some 10 ms for each, below the 29 s after which API Gateway gives up on a verb.
ROWS_PER_CALL = 1_000
# Policies of one call that are read, because the sweep has no row of them, or has not read it: some 40 ms each.
POLICIES_PER_CALL = 300
# A read and a write for each row; somebody else may write between them, a run that ends or a sweep.
_ATTEMPTS = 3
# Starts a second that the slots are laid out for: below what the slowest store allows, so that a look finds few more
# rows than it may start. The plan's budgets decide; this keeps its reads small.
_ROWS_A_SECOND = 20


def emergency(
    desk: Desk, scope: Mapping[str, Any], who: Mapping[str, str], *, break_glass: bool = False
) -> dict[str, Any]:
    """Ask for the rotation of everything in scope: `{secret}`, `{group}`, or `{all: true, after: NAME}`.

    Returns `{asked, already, not_ours, next}`: names, of which a store's own schedule rotates those in `not_ours`; and
    where to go on with `after`, "" for the end. Refused `bad_scope`, `unknown_secret`, `unknown_group`,
    `native_scheduler`. Unavailable `catalogue_not_read`: asked again it goes on.
    """
    secrets, following = _named(desk, scope)
    flags = f"{EMERGENCY} {BREAK_GLASS}" if break_glass else EMERGENCY
    now, read = desk.ledger.now(), 0
    told: dict[str, list[str]] = {"asked": [], "already": [], "not_ours": []}
    for i, name in enumerate(secrets):
        seen = desk.ledger.agenda.of(name)
        unread = seen is None or not seen.since
        if unread and read == POLICIES_PER_CALL:
            return {**told, "next": secrets[i - 1]}
        read += unread
        if unread and _native(desk, name):
            told["not_ours"].append(name)
        else:
            told["asked" if _asked(desk, name, seen, who, flags, _slot(now, i)) else "already"].append(name)
    return {**told, "next": following}


def _native(desk: Desk, name: str) -> bool:
    """Whether the store's own schedule rotates it; of a policy that cannot be read the sweep says what is wrong."""
    try:
        return desk.catalogue.policy(name).scheduler != KEYTURN
    except Refused:
        return False


def _named(desk: Desk, scope: Mapping[str, Any]) -> tuple[list[str], str]:
    if len(scope.keys() - {"after"}) != 1:
        raise _bad()
    if "secret" in scope:
        policy = desk.catalogue.policy(text(scope, "secret"))
        if policy.scheduler != KEYTURN:
            raise Refused("native_scheduler", f"AWS's own schedule rotates {policy.name}", "rotate it there")
        return [policy.name], ""
    if "group" in scope:
        members = _members(desk, text(scope, "group"))
        return [name for name in members if name > str(scope.get("after") or "")], ""
    if scope.get("all") is not True:
        raise _bad()
    later = [name for name in desk.catalogue.names() if name > str(scope.get("after") or "")]
    return later[:ROWS_PER_CALL], later[ROWS_PER_CALL - 1] if len(later) > ROWS_PER_CALL else ""


def _members(desk: Desk, group: str) -> list[str]:
    """All of the catalogue as it is deployed now: what the sweep has not taken in and read yet is read first."""
    if not (take_in(desk) and read_all(desk)):
        raise Unavailable("catalogue_not_read", "policies are new, and not all could be read", "repeat it: it goes on")
    members = desk.ledger.agenda.group(group).members
    if not members:
        raise Refused("unknown_group", "no policy of the catalogue is of this group", "see `keyturn policy show`")
    return sorted(members)


def _bad() -> Refused:
    return Refused("bad_scope", "an emergency is for one secret, one group, or all", 'send {"group": NAME}')


def _slot(now: str, place: int) -> str:
    return timestamp(datetime.fromisoformat(now) + timedelta(seconds=place / _ROWS_A_SECOND))


def _asked(  # noqa: PLR0913, PLR0917  # one per thing that the row keeps
    desk: Desk, secret: str, seen: Due | None, who: Mapping[str, str], flags: str, slot: str
) -> bool:
    """Whether this call asked for it; False where it waits for an emergency rotation already."""
    for _ in range(_ATTEMPTS):
        waits = seen is not None and seen.urgent and not (seen.under_way or BREAK_GLASS in flags)
        if waits:
            return False
        made = seen or Due(secret=secret, due_at=slot)
        made = replace(
            made,
            # one that is under way may have minted what leaked: it is rotated again when that has ended
            due_at=made.due_at if made.under_way else slot,
            since=made.since or desk.ledger.now(),
            not_before="",
            flags=flags,
            asked_at=desk.ledger.now(),
            reason=who["reason"],
            requested_by=who["requested_by"],
        )
        if desk.ledger.agenda.put(seen, made):
            return True
        seen = desk.ledger.agenda.of(secret)
    return False
