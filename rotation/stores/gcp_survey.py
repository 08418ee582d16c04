"""What Google shows to repair: the alias, and every enabled version above the smaller of alias and ledger.

Versions do not say whose they are, and listing lags, so the numbers are accessed one by one: strongly consistent, but
bounded. Neither the alias's version nor the ledger's is called pending: while the alias lags, one of them is what
readers get. Not here: enabled versions below both, which are what a rollback goes back to. Of those between the two a
survey cannot tell a candidate from a former current one: settle which of the two is right first.
"""

from __future__ import annotations

from collections.abc import Iterator

from rotation.contract import Pending, SecretRef, Survey, Version
from rotation.errors import Conflict, NotFound, Refused
from rotation.stores.gcp_alias import current_of
from rotation.stores.gcp_api import Api

# Numbers looked at after a known one: each abandoned candidate since then takes one.
SEARCH_LIMIT = 25


def survey(api: Api, ref: SecretRef, known: Version | None) -> Survey:
    """One read of the secret and one per number: 26, or up to 51 where alias and ledger differ."""
    current = current_of(api.shell(ref.path))
    named = {int(version.id) for version in (current, known) if version}
    found = (_look(api, ref, number) for number in _numbers(named or {0}) if number not in named)
    return Survey(current=current, pendings=tuple(pending for pending in found if pending))


def _numbers(named: set[int]) -> Iterator[int]:
    """What follows the smaller one, and what follows the greater one, ascending; a gap ends nothing."""
    ahead = {start + step for start in (min(named), max(named)) for step in range(1, SEARCH_LIMIT + 1)}
    yield from sorted(ahead)


def _look(api: Api, ref: SecretRef, number: int) -> Pending | None:
    version = Version(id=str(number))
    try:
        _, value = api.access(ref.path, version.id)
    except (NotFound, Conflict):
        # never made, or given up: disabled, scheduled or destroyed
        return None
    except Refused:
        # not text, so not ours; there is nothing to compare with
        return Pending(version=version)
    fingerprint = value.fingerprint()
    return Pending(version=Version(id=version.id, fingerprint=fingerprint), fingerprint=fingerprint)
