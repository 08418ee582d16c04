"""The published schema says what the code sends: neither may change without the other."""

from __future__ import annotations

import json
import re
from pathlib import Path

from rotation.consumers import event
from rotation.consumers.event import Event, Notice

FILE = Path(__file__).parents[3] / "schemas" / "keyturn.invalidation.1.json"
NOTICE = Notice(
    event=Event.RETIRED,
    stack="prod",
    secret="gruppe/schlüssel",
    store="vault",
    path="keyturn/gruppe/schlüssel",
    version="0" * 32,
    store_version="3",
    sequence=9,
    at="2026-01-02T03:04:05.000006Z",
)


def test_the_schema_and_the_code_agree() -> None:
    schema = json.loads(FILE.read_text(encoding="utf-8"))
    fields = {**NOTICE.fields("arn:aws:kms:eu-central-1:111111111111:key/1"), event.SIGNATURE: "c2ln"}
    properties = schema["properties"]
    assert set(schema["required"]) == set(properties) == set(fields)
    assert schema["additionalProperties"] is False
    assert properties["schema"]["const"] == event.SCHEMA == fields["schema"]
    assert properties["kind"]["enum"] == [kind.value for kind in Event]
    for name, rule in properties.items():
        wanted = {"string": str, "integer": int}.get(rule.get("type", ""), str)
        assert type(fields[name]) is wanted, name
        assert re.search(rule.get("pattern", ""), str(fields[name])), name
        assert fields[name] in rule.get("enum", [fields[name]]), name


def test_what_is_signed_is_everything_but_the_signature_in_one_spelling() -> None:
    fields = NOTICE.fields("key")
    signed = event.canonical({**dict(reversed(fields.items())), event.SIGNATURE: "any"})
    assert signed == event.canonical(fields)
    assert json.loads(signed) == fields
    assert b" " not in signed
    assert "schlüssel".encode() in signed, "UTF-8, not escaped"


def test_the_id_is_of_what_happened_and_of_nothing_else() -> None:
    # SHA-256 of `retired gruppe/schlüssel 000... 9`, as any consumer reckons it
    assert NOTICE.id == "d23bc18a59ae963116ade52d01ed3f15"
    assert re.fullmatch(r"[0-9a-f]{32}", NOTICE.id)
