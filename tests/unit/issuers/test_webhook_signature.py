"""Webhooks signed and verified here agree with the reference implementation, and every difference is a refusal."""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook as Reference

from rotation.issuers import webhook_signature as webhooks
from rotation.issuers.webhook_signature import Unverified, Webhook, decode_key, encode_key, sign, verify

OLD, NEW, OTHER = (secrets.token_bytes(32) for _ in range(3))
NOW = 1_700_000_000
BODY = '{"type":"user.created","data":{"name":"Zoë"}}'.encode()
EVENT = Webhook(id="msg_1", timestamp=NOW, body=BODY)


def reason(keys: list[bytes], headers: dict[str, str], body: bytes = BODY, now: float = NOW) -> str:
    with pytest.raises(Unverified) as caught:
        verify(keys, headers, body, now)
    return caught.value.reason


@pytest.mark.parametrize("size", [24, 32, 64])
def test_what_is_signed_here_the_reference_verifies_with_each_key(size: int) -> None:
    keys = [secrets.token_bytes(size), secrets.token_bytes(size)]
    headers = sign(keys, Webhook(id="msg_1", timestamp=int(time.time()), body=BODY))
    for key in keys:
        Reference(encode_key(key)).verify(BODY, headers, json_parse=False)


def test_what_the_reference_signs_is_verified_here() -> None:
    made = Reference(encode_key(NEW)).sign("msg_1", datetime.fromtimestamp(NOW, tz=UTC), BODY.decode())
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(NOW), "webhook-signature": made}
    assert verify([OLD, NEW], headers, BODY, NOW) == (EVENT, 1)
    assert sign([NEW], EVENT)["webhook-signature"] == made


def test_one_key_in_common_is_enough_whichever_side_has_two() -> None:
    both, old, new = sign([NEW, OLD], EVENT), sign([OLD], EVENT), sign([NEW], EVENT)
    assert verify([OLD], both, BODY, NOW)[1] == 0
    assert verify([NEW], both, BODY, NOW)[1] == 0
    assert verify([NEW, OLD], old, BODY, NOW)[1] == 1
    assert verify([NEW, OLD], new, BODY, NOW)[1] == 0


def test_a_key_that_was_dropped_is_refused() -> None:
    assert reason([NEW], sign([OLD], EVENT)) == "no_matching_signature"
    assert reason([], sign([OLD], EVENT)) == "no_matching_signature"
    assert reason([NEW, OLD], sign([OTHER], EVENT)) == "no_matching_signature"
    assert reason([NEW], {**sign([], EVENT), "webhook-signature": "none"}) == "no_matching_signature"


def test_the_tolerance_is_five_minutes_either_way_and_no_more() -> None:
    headers = sign([OLD], EVENT)
    for now in (NOW - 300, NOW, NOW + 300):
        assert verify([OLD], headers, BODY, now)[0] == EVENT
    assert reason([OLD], headers, now=NOW + 301) == "too_old"
    assert reason([OLD], headers, now=NOW - 301) == "too_new"


def test_entries_of_other_versions_are_passed_over_and_never_taken_for_a_signature() -> None:
    entry = sign([OLD], EVENT)["webhook-signature"]
    mac = entry.partition(",")[2]
    for shown in (f"v1a,{mac} {entry}", f"{entry} v2,", f"garbage {entry}", f"v1,{mac[:-4]} {entry}", f", {entry}"):
        assert verify([OLD], {**sign([OLD], EVENT), "webhook-signature": shown}, BODY, NOW)[1] == 0
    for shown in (
        f"v1a,{mac}",
        f"v2,{mac}",
        mac,
        f"v1{mac}",
        f"V1,{mac}",
        f"v1,{mac},",
        f"v1, {mac}",
        "v1,",
        "ÿ,\udc80",
    ):
        assert reason([OLD], {**sign([OLD], EVENT), "webhook-signature": shown}) == "no_matching_signature"


def test_every_signature_is_compared_with_every_key_whichever_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    compared, compare = [], hmac.compare_digest

    def counting(one: bytes, other: bytes) -> bool:
        compared.append(1)
        return compare(one, other)

    headers = sign([OLD, NEW, OTHER], EVENT)
    monkeypatch.setattr(webhooks.hmac, "compare_digest", counting)
    verify([OLD, NEW], headers, BODY, NOW)
    assert len(compared) == 6


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_webhook_without_one_of_its_headers_is_refused(missing: str) -> None:
    headers = sign([OLD], EVENT)
    assert reason([OLD], {name: text for name, text in headers.items() if name != missing}) == "missing_header"
    assert reason([OLD], {**headers, missing: ""}) == "missing_header"


def test_a_full_stop_cannot_be_moved_between_id_timestamp_and_body() -> None:
    tricky = f"{NOW}.".encode() + BODY
    content = b"msg." + str(NOW).encode() + b"." + tricky
    mac = base64.b64encode(hmac.digest(OLD, content, "sha256")).decode()
    headers = {"webhook-id": f"msg.{NOW}", "webhook-timestamp": str(NOW), "webhook-signature": f"v1,{mac}"}
    assert reason([OLD], headers) == "malformed_id"
    with pytest.raises(ValueError, match="full stops"):
        sign([OLD], Webhook(id="msg.1", timestamp=NOW, body=BODY))


@pytest.mark.parametrize("stamp", ["0" + str(NOW), f"+{NOW}", f" {NOW}", f"{NOW}.0", "1.7e9", "١٢", "-1", "9" * 5_000])
def test_a_timestamp_has_one_spelling(stamp: str) -> None:
    assert reason([OLD], {**sign([OLD], EVENT), "webhook-timestamp": stamp}) == "malformed_timestamp"


def test_a_key_is_read_as_it_was_written_and_nothing_else_is_one() -> None:
    assert decode_key(encode_key(OLD)) == OLD
    good = encode_key(OLD)
    short, long = (encode_key(secrets.token_bytes(size)) for size in (23, 65))
    for text in ("", "whsec_", good.removeprefix("whsec_"), f"{good}\n", f" {good}", good[:-1], short, long, "whsec_é"):
        with pytest.raises(ValueError, match="a key is") as caught:
            decode_key(text)
        assert OLD.hex() not in str(caught.value)
        assert caught.value.__cause__ is None


def test_no_refusal_shows_key_body_or_signature() -> None:
    headers = sign([OLD], EVENT)
    with pytest.raises(Unverified) as caught:
        verify([NEW], headers, BODY, NOW)
    shown = repr(caught.value) + repr(EVENT)
    assert not [text for text in (headers["webhook-signature"], "Zo", repr(BODY)) if text in shown]
