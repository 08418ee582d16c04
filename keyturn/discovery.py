"""What lies in the stores that no policy rotates: each store listed, what is Keyturn's taken out, the rest looked at.

A store that cannot be listed leaves the others as they are; what is missing in the answer is part of the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from keyturn.discover_found import Found, Listing, Unlisted, unlisted
from keyturn.discover_known import Known
from rotation.errors import KeyturnError

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Discovered:
    """managed: how many a policy rotates, by store. authorities: what Keyturn itself logs in with, and for what."""

    unmanaged: tuple[Found, ...] = ()
    authorities: tuple[tuple[Found, tuple[str, ...]], ...] = ()
    managed: Mapping[str, int]
    not_listed: tuple[Unlisted, ...] = ()


def discover(stores: Mapping[str, Callable[[], Listing]], known: Known, tell: Tell) -> Discovered:
    """List the stores, one after the other; `tell` hears how far it is."""
    unmanaged: list[Found] = []
    authorities: list[tuple[Found, tuple[str, ...]]] = []
    managed: dict[str, int] = {}
    missing: list[Unlisted] = []
    for store, opened in stores.items():
        tell(f"listing {store}")
        found, listing, trouble = _listed(store, opened)
        missing += trouble
        places = {(store, one.path): one for one in found}
        managed[store] = len(places.keys() & known.managed)
        authorities += [(one, known.authorities[place]) for place, one in places.items() if place in known.authorities]
        ours = known.managed | known.authorities.keys() | known.pending
        for number, place in enumerate(rest := [place for place in places if place not in ours], 1):
            tell(f"looking at {store}: {number} of {len(rest)}")
            unmanaged.append(_detailed(listing, places[place]))
        missing += listing.skipped if listing else []
    return Discovered(
        unmanaged=tuple(sorted(unmanaged, key=lambda one: (one.store, one.path))),
        authorities=tuple(authorities),
        managed=managed,
        not_listed=tuple(missing),
    )


def _listed(store: str, opened: Callable[[], Listing]) -> tuple[list[Found], Listing | None, list[Unlisted]]:
    """What was listed before anything went wrong counts: a long list may break off in the middle."""
    found: list[Found] = []
    listing = None
    try:
        listing = opened()
        for one in listing.listed():
            found.append(one)  # noqa: PERF402  # extend would lose what came before an error
    except KeyturnError as exc:
        needs = f"listing takes {listing.needs}" if listing else ""
        return found, listing, [unlisted(store, store, exc, "; ".join(filter(None, (exc.remedy, needs))))]
    return found, listing, []


def _detailed(listing: Listing | None, one: Found) -> Found:
    return listing.detailed(one) if listing else one
