"""An acknowledgement counts for who IAM verified, for a version that is about, and is never moved back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from acknowledge_world import ACTOR, LEASE_S, ROLE, STRANGER, Replicas, awaiting, client
from http_events import http_event

from rotation.handlers import endpoint
from rotation.contract import Verdict
from rotation.control.acknowledge import MAX_LEASE_S, MIN_LEASE_S
from rotation.control.desk import run_id_of
from rotation.control.table import VERBS
from rotation.errors import KeyturnError, Unavailable
from rotation.ledger.leases import Lease, Leases
from rotation.ledger.rows import Rows
from rotation.phases import Outcome, phase_named
from tests.model.world import NAME, PERSON


@pytest.fixture
def world() -> Replicas:
    return Replicas()


def kept(world: Replicas, instance: str = "one") -> Lease:
    found = world.ledger.leases.one(NAME, "web", instance)
    assert found is not None
    return found


def refused(ask: Callable[[], object]) -> str:
    with pytest.raises(KeyturnError) as caught:
        ask()
    return caught.value.reason


def test_a_message_is_kept_as_a_lease_of_the_verified_caller(world: Replicas) -> None:
    said = world.say("one", world.new)
    lease = kept(world)
    ends = datetime.fromisoformat(lease.seen_at) + timedelta(seconds=LEASE_S)
    assert (lease.version, lease.actor, lease.seen_at) == (world.new, ACTOR, world.ledger.now())
    assert datetime.fromisoformat(lease.expires_at) == ends
    assert (said["version"], said["expires_at"]) == (world.new, lease.expires_at)
    assert lease.acknowledged == {world.new: lease.seen_at}


def test_said_again_it_renews_the_lease_and_keeps_when_it_was_said_first(world: Replicas) -> None:
    world.say("one", world.new)
    first = kept(world)
    world.clock.advance(100)
    world.say("one", world.new)
    again = kept(world)
    assert again.expires_at > first.expires_at
    assert again.acknowledged == first.acknowledged


def test_a_late_message_of_an_older_version_does_not_take_the_instance_back(world: Replicas) -> None:
    world.say("one", world.old)
    world.say("one", world.new)
    before = kept(world)
    world.clock.advance(1)
    assert world.say("one", world.old)["version"] == world.new
    assert kept(world) == before


@pytest.mark.parametrize(
    "actor",
    [
        STRANGER,
        "arn:aws:sts::999999999999:assumed-role/web/i-0abc",
        "arn:aws:iam::999999999999:role/web",
        "arn:aws:iam::111122223333:user/web",
        "arn:aws:iam::111122223333:role/web/batch",
        "arn:aws:sts::111122223333:assumed-role/batch/web",
        "arn:aws:sts::111122223333:assumed-role/web-2/i-0abc",
        "arn:aws:sts::111122223333:federated-user/web",
        "arn:aws:iam::111122223333:root",
        "web",
    ],
)
def test_another_principal_than_the_consumers_role_is_refused_and_leaves_nothing(world: Replicas, actor: str) -> None:
    assert refused(lambda: world.say("one", world.new, actor=actor)) == "not_this_consumer"
    assert world.ledger.leases.of(NAME) == []


@pytest.mark.parametrize("role", [ROLE, "arn:aws:iam::111122223333:role/web", "web"])
@pytest.mark.parametrize("actor", [ACTOR, "arn:aws:iam::111122223333:role/service/web"])
def test_a_role_is_known_by_its_session_its_arn_and_its_name(role: str, actor: str) -> None:
    assert Replicas(awaiting(client(role=role))).say("one", "2", actor=actor)["instance"] == "one"


def test_a_consumer_without_a_role_believes_nobody() -> None:
    world = Replicas(awaiting(client(role="")))
    assert refused(lambda: world.say("one", "2")) == "not_this_consumer"


def test_no_field_of_the_request_names_another_actor(world: Replicas) -> None:
    forged = {"actor": ACTOR, "requested_by": ACTOR, "userArn": ACTOR, "role": ROLE}
    said = {"secret": NAME, "consumer": "web", "instance": "one", "version": world.new, "lease_s": LEASE_S}
    event = http_event("acknowledge", caller=STRANGER, **said, **forged)
    request = endpoint.read(event)
    assert refused(lambda: VERBS[request.verb](world.desk, request.fields)) == "not_this_consumer"
    honest = endpoint.read(http_event("acknowledge", caller=ACTOR, **said))
    answer = endpoint.answered(VERBS[honest.verb](world.desk, honest.fields))
    assert (answer["statusCode"], json.loads(answer["body"])["ok"]) == (200, True)


def test_of_two_consumers_neither_speaks_for_the_other() -> None:
    world = Replicas(awaiting(client(), client("batch", role="batch")))
    assert refused(lambda: world.say("one", world.new, consumer="batch")) == "not_this_consumer"
    assert world.say("one", world.new, consumer="batch", actor=STRANGER)["consumer"] == "batch"


def test_a_version_is_known_by_keyturns_id_and_by_the_stores(world: Replicas) -> None:
    overlap = world.overlap
    assert (overlap.new.id, overlap.old.id) == ("2", "1")
    for said, meant in ((world.new, world.new), ("2", world.new), (world.old, world.old), ("1", world.old)):
        assert world.say(f"of-{said}", said)["version"] == meant
    assert world.say("polls", "", store_version="2")["version"] == world.new


@pytest.mark.parametrize(
    ("field", "said", "reason"),
    [
        ("secret", "group/other", "unknown_secret"),
        ("secret", "group/\ud800", "unknown_secret"),
        ("secret", "group/secret#", "unknown_secret"),
        ("consumer", "api", "unknown_consumer"),
        ("consumer", {"name": "web"}, "bad_event"),
        ("lease_s", 10**400, "bad_lease"),
        ("lease_s", float("nan"), "bad_event"),
        ("lease_s", float("inf"), "bad_event"),
        ("lease_s", -300, "bad_lease"),
        ("version", "\ud800", "unknown_version"),
        ("version", "0" * 32, "unknown_version"),
        ("lease_s", MIN_LEASE_S - 1, "bad_lease"),
        ("lease_s", MAX_LEASE_S + 1, "bad_lease"),
        ("lease_s", True, "bad_event"),
        ("lease_s", "300", "bad_event"),
        ("instance", "a#b", "bad_instance"),
        ("instance", "a" * 129, "bad_instance"),
        ("instance", "a\n", "bad_instance"),
        ("instance", "", "bad_event"),
        ("version", "", "bad_event"),
        ("version", ["2"], "unknown_version"),
        ("version", {"id": "2"}, "unknown_version"),
    ],
)
def test_a_message_that_is_not_understood_is_refused_by_name(
    world: Replicas, field: str, said: Any, reason: str
) -> None:
    message = {"version": world.new, "instance": "one", field: said}
    assert refused(lambda: world.say(**message)) == reason
    assert world.ledger.leases.of(NAME) == []


def test_a_consumer_that_only_polls_does_not_acknowledge() -> None:
    world = Replicas(awaiting(client(kind="poll")))
    assert refused(lambda: world.say("one", world.new)) == "unknown_consumer"


def test_the_new_version_may_be_acknowledged_before_its_overlap_is_open(world: Replicas) -> None:
    world.say("one", world.new)
    world.over()
    assert world.retire("arn:r") == "succeeded"
    before = world.ledger.head(NAME).version
    for phase in ("claim", "prepare", "promote"):
        assert world.enter(phase_named(phase), "arn:third")[0] == Outcome.PASSED
    head = world.ledger.head(NAME)
    assert (head.overlap, head.version) == (None, run_id_of("arn:third"))
    assert world.say("one", head.version)["version"] == head.version
    assert world.say("two", before)["version"] == before
    assert world.say("three", "2")["version"] == before, "as the store calls it"


def test_what_a_rollback_leads_back_to_is_known_by_the_id_that_it_had(world: Replicas) -> None:
    new, old = world.new, world.old
    assert world.walk("rollback", "arn:back") == "succeeded"
    assert (world.new, world.old, world.ledger.head(NAME).version) == (old, new, old)
    world.say("one", new)
    world.clock.advance(1)
    assert world.say("one", old)["version"] == old, "now that is the newer one"
    assert kept(world).acknowledged[old] == world.ledger.now(), "acknowledged anew"


def test_while_a_rollback_is_under_way_both_versions_are_known(world: Replicas) -> None:
    new, old = world.new, world.old
    world.say("one", old)
    for phase in ("claim_rollback", "revert"):
        assert world.enter(phase_named(phase), "arn:back")[0] == Outcome.PASSED
    assert world.say("two", new)["version"] == new
    assert world.say("one", old)["version"] == old


def test_a_rotation_that_another_execution_ends_keeps_the_id_of_what_was_before_it(world: Replicas) -> None:
    before = world.new
    world.say("one", before)
    world.over()
    assert world.retire("arn:r") == "succeeded"
    for phase in ("claim", "prepare", "promote"):
        assert world.enter(phase_named(phase), "arn:lost")[0] == Outcome.PASSED
    world.clock.advance(600)
    assert world.rotate("arn:goes-on", resume=run_id_of("arn:lost")) == "succeeded"
    assert (world.old, world.new) == (before, run_id_of("arn:lost"))


def test_a_rotation_that_is_undone_leaves_the_id_of_what_stays(world: Replicas) -> None:
    world.say("one", world.new)
    world.over()
    assert world.retire("arn:r") == "succeeded"
    stays = world.ledger.head(NAME).version
    world.target.broken["check"] = Verdict.REFUSED
    assert world.rotate("arn:third") == "failed"
    assert world.ledger.head(NAME).version == stays


def test_a_head_of_an_older_program_is_read_by_its_history(world: Replicas) -> None:
    new = world.new
    head = world.ledger.head(NAME)
    bare = replace(world.overlap, old_id="", new_id="")
    world.ledger.amend(head, PERSON, version="", overlap=bare)
    assert world.say("one", new)["version"] == new


def test_two_messages_of_one_instance_at_once_are_both_kept_or_sent_again(rows: Rows) -> None:
    leases = Leases(rows)
    given = {"secret": NAME, "consumer": "web", "instance": "one", "actor": ACTOR, "seen_at": "1", "expires_at": "2"}
    seen = None
    assert leases.put(seen, Lease(version="a", **given))
    assert not leases.put(seen, Lease(version="b", **given))
    assert [one.version for one in leases.of(NAME)] == ["a"]
    assert leases.put(leases.one(NAME, "web", "one"), Lease(version="b", **given))
    assert [(one.version, one.rev) for one in leases.of(NAME)] == [("b", 2)]


def test_an_instance_that_is_always_overtaken_is_asked_to_send_again(
    world: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.ledger.leases, "put", lambda *_: False)
    with pytest.raises(Unavailable):
        world.say("one", world.new)


def test_only_what_ran_out_long_ago_is_forgotten(rows: Rows) -> None:
    leases = Leases(rows)
    for name, ends in (("long-ago", "2026-01-01"), ("lately", "2026-02-01"), ("back", "2026-01-01")):
        lease = Lease(secret=NAME, consumer="w", instance=name, version="a", actor="", seen_at="", expires_at=ends)
        assert leases.put(None, lease)
    seen = leases.of(NAME)
    back = next(one for one in seen if one.instance == "back")
    leases.forget([one for one in seen if one.instance != "back"], "2026-01-15")
    assert [one.instance for one in leases.of(NAME)] == ["back", "lately"]
    renewed = Lease(secret=NAME, consumer="w", instance="back", version="a", actor="", seen_at="", expires_at="2026-03")
    assert leases.put(back, renewed)
    leases.forget([back], "2026-01-15")
    assert [one.instance for one in leases.of(NAME)] == ["back", "lately"], "it came back meanwhile"


def test_one_message_costs_two_reads_and_one_write(world: Replicas, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, version = [], world.new
    for name in ("get", "partition", "write", "due"):
        real = getattr(world.rows, name)
        monkeypatch.setattr(world.rows, name, lambda *a, _n=name, _r=real, **k: (calls.append(_n), _r(*a, **k))[1])
    world.say("one", version)
    assert calls == ["get", "get", "write"], "head, lease, lease"
