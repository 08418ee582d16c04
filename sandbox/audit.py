"""Reads OpenBao's audit device and puts what people did to secrets on the bus (docs/triggers.md).

In a real account the shipping of Vault's audit log does the same with a filter of its own; this is the sandbox's. Only
answers count: a request that was refused, or found nothing, showed nobody anything. The device hashes values, and of a
record nothing but time, id, path, operation and the login's name is used. Keyturn's own reads are sent, too: who is a
person is not for a shipper to decide. It is not started with the servers, so that nobody's look at a secret in a test
or a demonstration rotates it: `python -m sandbox.audit --follow` follows, without the option it reads to the end once.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from rotation.incidents.trigger import DETAIL_TYPE, SCHEMA, SOURCE
from sandbox.aws_client import administrator
from sandbox.errors import SandboxError
from sandbox.facts import Facts
from sandbox.layout import Layout

KINDS = {"read": "human-read", **dict.fromkeys(("create", "update", "patch"), "outside-change")}
# Where Keyturn keeps a candidate beside the live path; who reads it has read what becomes current.
PENDING = "pending/"
# What PutEvents takes at once (EventBridge quotas).
ENTRIES = 10
# A person does not wait for it, and the file is small.
PAUSE_S = 1.0
# What a login's name may hold and an event may not.
_UNUSUAL = re.compile(r"[^A-Za-z0-9._:/@+=,~-]")


def event(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a record of the audit device says of a secret of KV v2; None where it says nothing of one."""
    request, answer = record.get("request", {}), record.get("response", {}).get("data")
    mount, path = str(request.get("mount_point", "")), str(request.get("path", ""))
    data = f"{mount}data/"
    kind = KINDS.get(request.get("operation", ""))
    told = record.get("type") == "response" and not record.get("error") and answer
    if not told or kind is None or request.get("mount_type") != "kv" or not path.startswith(data):
        return None
    name = path.removeprefix(data)
    if kind != "human-read" and name.startswith(PENDING):
        # a candidate that nobody gets yet
        return None
    made = {
        "schema": SCHEMA,
        "id": str(request["id"]),
        "kind": kind,
        "occurred_at": str(record["time"]),
        "actor": _UNUSUAL.sub("_", str(record.get("auth", {}).get("display_name") or "unknown")),
        "store": "vault",
        "path": mount + name.removeprefix(PENDING),
    }
    return made if kind == "human-read" else {**made, "version": str(answer.get("version", "unknown"))}


def ship(layout: Layout, facts: Facts, after: int = 0) -> int:
    """Put every event that the device has beyond the byte `after` on the bus; the byte to go on after.

    Raises:
        SandboxError: `part_failed` when the bus refuses one.
    """
    with layout.vault_audit.open("rb") as device:
        device.seek(after)
        text = device.read()
    # the last line may be half written
    whole = text[: text.rfind(b"\n") + 1]
    records = (json.loads(line) for line in whole.splitlines())
    made = [sent for record in records if (sent := event(record)) is not None]
    with closing(administrator(facts, "events")) as bus:
        for batch in _batches(made):
            if bus.put_events(Entries=[_entry(detail) for detail in batch])["FailedEntryCount"]:
                raise SandboxError("part_failed", "the bus refused an event", "look at the emulator's log")
    return after + len(whole)


def _entry(detail: Mapping[str, Any]) -> dict[str, str]:
    return {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps(detail)}


def _batches(events: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    for first in range(0, len(events), ENTRIES):
        yield events[first : first + ENTRIES]


def main(arguments: Sequence[str]) -> None:
    """Ship once, or follow until it is interrupted; where it has come to is kept beside the device."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.audit", description=__doc__)
    parser.add_argument("--follow", action="store_true", help="go on as the device is written")
    follow = parser.parse_args(arguments).follow
    layout = Layout.from_env()
    facts, position = Facts.load(layout.facts), layout.vault_audit.with_suffix(".position")
    while True:
        after = int(position.read_text(encoding="utf-8")) if position.exists() else 0
        # the server begins a new file with every start
        after = after if after <= layout.vault_audit.stat().st_size else 0
        position.write_text(str(ship(layout, facts, after)), encoding="utf-8")
        if not follow:
            return
        time.sleep(PAUSE_S)


if __name__ == "__main__":
    main(sys.argv[1:])
