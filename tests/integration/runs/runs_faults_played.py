"""A rotation with a fault on its way, and what stores, targets and the ledger show of its end.

All three credentials at the same time, so that an outage is waited for once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from hvac.exceptions import InvalidPath
from runs_credentials import ALL, Credential
from runs_faults_ways import Faulty, Way
from runs_stack import Ended, Stack
from runs_stores import MOUNT, AwsReader, GoogleReader, Reader, Seen, VaultReader
from runs_targets import ACCEPTED

from sandbox.faults.contract import Hit


@dataclass(frozen=True, kw_only=True)
class Played:
    """What was seen. `made`: ids that the store has more than before; `visible`: those that a reader may come upon.

    failed: how many attempts of each phase's task failed. hits, calls: the store's, until the run had ended.
    """

    ended: Ended
    old: Seen
    live: Seen
    shown: dict[str, str]
    made: set[str]
    visible: set[str]
    head: dict[str, Any]
    failed: Counter[str]
    hits: list[Hit]
    calls: int


def play_all(faulty: Faulty, spoil: Callable[[Way], None]) -> dict[str, Played]:
    """A rotation of every credential, whose way `spoil` has spoilt, by name."""
    with ThreadPoolExecutor(len(ALL)) as pool:
        found = pool.map(lambda credential: play(faulty, credential, spoil), ALL)
        return {credential.name: played for credential, played in zip(ALL, found, strict=True)}


def play(faulty: Faulty, credential: Credential, spoil: Callable[[Way], None]) -> Played:
    """One of them."""
    stack, way = faulty.stack, faulty.ways[credential.name]
    close_overlap(stack, credential.name)
    with closing(credential.reader(stack)) as reader:
        if isinstance(reader, AwsReader):
            reader.leave_nothing_pending()
        old, before = reader.live(), set(reader.versions())
        way.store.clear()
        spoil(way)
        # the reader stays away from a spoilt store until the run has ended
        ended = stack.rotate(credential.name)
        hits, calls = way.store.hits(), way.store.calls()
        way.store.clear()
        live = reader.live()
        return Played(
            ended=ended,
            old=old,
            live=live,
            shown={"old": credential.show(stack.facts, old.text), "live": credential.show(stack.facts, live.text)},
            made=set(reader.versions()) - before,
            visible=visible(reader),
            head=stack.head(credential.name),
            failed=_failed(stack, ended),
            hits=hits,
            calls=calls,
        )


def close_overlap(stack: Stack, name: str) -> None:
    """Leave no overlap open, without waiting for its end."""
    if stack.head(name)["overlap"]:
        closed = stack.ended(stack.verb("overlap_close", secret=name, reason="a test"))
        assert closed.status == "SUCCEEDED", closed.error


def assert_ended_well(credential: Credential, played: Played) -> None:
    """One new version, which is current and accepted; the old one still is; nobody comes upon any other."""
    assert (played.ended.status, played.ended.error) == ("SUCCEEDED", "")
    assert played.ended.run["status"] == "succeeded"
    assert played.live.text != played.old.text
    assert played.shown == {"old": ACCEPTED, "live": ACCEPTED}
    assert played.made == {played.live.version}
    assert played.visible == expected(credential, played)
    head = played.head
    assert (head["current"]["id"], head["run_id"], head["leftover"]) == (played.live.version, "", "")
    assert (head["overlap"]["old"]["id"], head["overlap"]["new"]["id"]) == (played.old.version, played.live.version)


def expected(credential: Credential, played: Played) -> set[str]:
    """Old and new until the overlap ends; Vault's readers get the newest only."""
    return {played.live.version} | ({played.old.version} if credential.function != "vault" else set())


def visible(reader: Reader) -> set[str]:
    """What a reader comes upon: labelled versions, a path's newest, enabled numbers; `pending ...` for a candidate."""
    if isinstance(reader, AwsReader):
        return {version for version, labels in reader.labels().items() if labels}
    if isinstance(reader, VaultReader):
        return {reader.live().version, *_vault_pending(reader)}
    assert isinstance(reader, GoogleReader)
    listed = reader.client.list_secret_versions(parent=reader.secret, retry=None)
    return {version.name.rpartition("/")[2] for version in listed if version.state.name == "ENABLED"}


def _vault_pending(reader: VaultReader) -> Iterable[str]:
    kv, path = reader.client.secrets.kv.v2, f"pending/{reader.name}"
    try:
        found = kv.read_secret_version(path, mount_point=MOUNT, raise_on_deleted_version=True)
    except InvalidPath:
        return ()
    return (f"pending {found['data']['metadata']['version']}",)


def _failed(stack: Stack, ended: Ended) -> Counter[str]:
    """Attempts that failed, by the state that made them."""
    pages = stack.aws("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=ended.execution)
    failed, phase = Counter[str](), ""
    for event in (event for page in pages for event in page["events"]):
        phase = event.get("stateEnteredEventDetails", {}).get("name", phase)
        if event["type"] in ("TaskFailed", "TaskTimedOut", "LambdaFunctionFailed"):
            failed[phase] += 1
    return failed
