"""Ten thousand webhooks, fuzzed and forged, through rotations in both directions; a campaign makes more of them."""

from __future__ import annotations

import hmac
import re

import pytest

from rotation.issuers import webhook_signature
from sandbox.targets import webhook_wire
from tests.property.fuzz_webhooks import FORGERIES, fuzz_webhooks

WEBHOOKS = 10_000
SEED = 20_260_101


def test_of_ten_thousand_webhooks_no_forged_one_is_accepted_and_no_valid_one_refused() -> None:
    kinds = fuzz_webhooks(WEBHOOKS, SEED)
    assert kinds.total() - kinds["replayed"] == WEBHOOKS
    assert kinds["valid"] > WEBHOOKS // 4
    assert min(kinds[kind] for kind in FORGERIES) > 100
    assert kinds["replayed"] > 100


@pytest.mark.parametrize(
    ("module", "name", "broken"),
    [
        (webhook_signature, "_check_time", lambda *_: None),
        (webhook_signature, "_IDENTIFIER", re.compile(".+")),
        (webhook_signature, "_matching", lambda *_: 0),
        (webhook_wire, "TOLERANCE_SECONDS", 10**10),
        (webhook_wire, "_matches", lambda keys, *_: [*keys]),
        (webhook_wire, "_is_plain", lambda _: False),
        (webhook_signature, "_mac", lambda key, webhook: hmac.digest(key, webhook.body, "sha256")),
    ],
)
def test_a_reader_that_is_broken_is_found_out(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, broken: object
) -> None:
    monkeypatch.setattr(module, name, broken)
    with pytest.raises(AssertionError, match=f"of the seed {SEED}"):
        fuzz_webhooks(500, SEED)
