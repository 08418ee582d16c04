"""Ten thousand forged events for every run of the tests; the campaign makes a million."""

from __future__ import annotations

from tests.property.fuzz_events import fuzz_events

COUNT, SEED = 10_000, 20261122


def test_no_forged_event_is_accepted_and_no_genuine_one_is_refused_while_keys_overlap() -> None:
    found = fuzz_events(COUNT, SEED)

    assert found.accepted == []
    assert found.wrongly_refused == []
    assert found.refused.total() == found.genuine == COUNT
    # every way to refuse was met, so that each is known to bite
    assert {reason.partition(": ")[2] for reason in found.refused} == {
        *("too_large", "not_json", "unknown_schema", "malformed", "wrong_stack", "wrong_secret", "wrong_id"),
        *("unknown_key", "bad_signature", "from_the_future", "expired"),
    }
