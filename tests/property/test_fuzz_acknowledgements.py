"""Ten thousand acknowledgements, forged and valid, at every moment of rotations; the campaign makes a million."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rotation.handlers import endpoint
from rotation.control import acknowledge
from rotation.control.versions import Ids
from tests.property.fuzz_acknowledgements import ACTOR, FORGERIES, fuzz_acknowledgements

COUNT, SEED = 10_000, 20_261_123


def test_no_forged_acknowledgement_is_accepted_and_no_valid_one_refused_through_rotations() -> None:
    found = fuzz_acknowledgements(COUNT, SEED)

    assert found.wrong == []
    assert found.valid > COUNT // 4
    by_kind = {kind: sum(n for name, n in found.refused.items() if name.startswith(kind)) for kind in FORGERIES}
    assert min(by_kind.values()) > 100
    # every way to refuse was met, so that each is known to bite
    assert {name.rpartition(": ")[2] for name in found.refused} == {
        *("unauthenticated", "not_this_consumer", "unknown_consumer", "unknown_secret", "unknown_version"),
        *("bad_event", "bad_request", "bad_instance", "bad_lease", "unknown_verb"),
    }


@pytest.mark.parametrize(
    ("module", "name", "broken"),
    [
        (acknowledge, "_is", lambda *_: True),
        (acknowledge, "CLIENT", "poll"),
        (acknowledge, "_lease_s", lambda seconds: 60),
        (acknowledge, "_instance", lambda name: "web-0"),
        (endpoint, "_actor", lambda event: ACTOR),
        (Ids, "named", lambda self, said: said),
        (Ids, "named", lambda self, said: said if said == self.current else ""),
        (Ids, "named", lambda self, said: said if said in (self.current, self.before) else ""),
    ],
)
def test_a_verb_that_is_broken_is_found_out(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, broken: Callable[..., object] | str
) -> None:
    monkeypatch.setattr(module, name, broken)
    assert fuzz_acknowledgements(500, SEED).wrong
