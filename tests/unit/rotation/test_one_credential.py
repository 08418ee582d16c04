"""One credential in two versions: whoever puts a value once more must not have it revoked as the older of the two."""

from __future__ import annotations

from dataclasses import replace

from rotation.control import repair
from rotation.ledger.switch import Who
from rotation.value import SecretValue
from tests.model.world import NAME, OVERLAP_S, World

WHO = {"requested_by": "on-call", "reason": "alarm"}


def put_once_more(world: World) -> None:
    """The value that readers get, as another version, written in another order."""
    fields = dict(reversed(world.current().items()))
    world.secret.current = world.secret.add(SecretValue.of(fields))


def mend(world: World) -> str:
    seen = repair.diagnose(world.desk, NAME)
    action = seen["diagnoses"][0]["action"]
    repair.mend(world.desk, NAME, seen["digest"], WHO)
    world.follow()
    return str(action["name"])


def test_adopting_it_opens_no_overlap(world: World) -> None:
    put_once_more(world)
    assert mend(world) == "adopt"
    head = world.ledger.head(NAME)
    assert (head.overlap, head.current and head.current.id) == (None, str(world.secret.current))
    assert world.current()["token"] in world.target.tokens.values()
    assert world.rotate("arn:again") == "succeeded"


def test_an_overlap_between_the_two_ends_without_a_revocation(world: World) -> None:
    world.rotate("arn:2")
    put_once_more(world)
    head = world.ledger.head(NAME)
    assert head.overlap is not None
    assert head.current is not None
    known = head.current
    live = replace(known, id=str(world.secret.current))
    overlap = replace(head.overlap, old=known, new=live, retire_at=world.ledger.now())
    who = Who(actor="on-call", reason="alarm", verb="adopt")
    world.ledger.amend(head, who, current=live, overlap=overlap)
    world.clock.advance(OVERLAP_S)
    assert world.retire("arn:r") == "succeeded"
    assert world.current()["token"] in world.target.tokens.values(), "readers still have a credential"


def test_fields_in_another_order_are_the_same_credential() -> None:
    one, other = SecretValue('{"a":"1","b":"2"}'), SecretValue('{ "b": "2", "a": "1" }')
    assert one.same_credential(other)
    assert not one.same_credential(SecretValue('{"a":"1","b":"3"}'))
    assert SecretValue("text").same_credential(SecretValue("text"))
    assert not SecretValue("text").same_credential(one)
