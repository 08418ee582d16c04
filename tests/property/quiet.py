"""What a person does when the storm is over: brakes off, everything under way to its end, then the sweep and `repair`.

It has to come to rest, in a state from which the next rotation and retirement succeed.
"""

from __future__ import annotations

from typing import Any

from rotation.ledger.switch import Who
from tests.model.world import NAME, OVERLAP_S
from tests.property.any_order_world import AnyOrderWorld
from tests.property.executions import Invocation
from tests.property.strands import Ending

# Calls after which an invocation is taken to have no end: the longest phase makes a few dozen.
MANY_CALLS = 500
# Sweeps and repairs until nothing is left to do: resumption, undoing, adoption, retirement, each perhaps twice.
ROUNDS = 12
# Above the sweep's look at a claim, and above the lateness that repair speaks of.
BETWEEN_ROUNDS_S = 1300
_WHO = Who(actor="on-call", reason="it is over", verb="test")


def finish(world: AnyOrderWorld, invocation: Invocation) -> None:
    """All its calls are answered."""
    for _ in range(MANY_CALLS):
        if invocation.over:
            return
        world.move(invocation, Ending.ANSWERED)
    raise AssertionError(f"{invocation.strand.name} does not end")


def finish_all(world: AnyOrderWorld) -> None:
    """Whatever is under way comes to its end."""
    for _ in range(MANY_CALLS):
        if not world.invocations:
            return
        finish(world, world.invocations[0])
    raise AssertionError("machines go on for ever")


def brakes_off(world: AnyOrderWorld) -> None:
    """Kill switch, freezes and report-only mode are lifted; the target does again what it is asked for."""
    world.target.broken.clear()
    world.secret.shown = None
    board = world.whole_ledger.switchboard
    board.set(_WHO, engaged=False, report_only=False, frozen_until="")
    board.unfreeze(_WHO, [NAME])


def told(world: AnyOrderWorld, verb: str, **fields: Any) -> Any:
    """A verb's answer once everything that it started has ended; raises what it refused."""
    asked = world.ask(verb, **fields)
    finish(world, asked)
    finish_all(world)
    while world.people():
        finish_all(world)
    if asked.strand.error:
        raise asked.strand.error
    return asked.strand.result


def come_to_rest(world: AnyOrderWorld) -> None:
    """Raises AssertionError when sweep and repair do not get there, or get somewhere else."""
    brakes_off(world)
    world.rows.catch_up()
    finish_all(world)
    seen: list[str] = []
    for _ in range(ROUNDS):
        world.advance(BETWEEN_ROUNDS_S)
        finish(world, world.invoke({"phase": "sweep", "execution": "arn:sweep"}))
        finish_all(world)
        world.people()
        finish_all(world)
        seen.append(_repaired(world))
        head = world.whole_ledger.head(NAME)
        if seen[-1] == "healthy" and not head.run_id and head.overlap is None:
            break
    else:
        raise AssertionError(f"no rest: {seen}")
    check_rest(world)


def _repaired(world: AnyOrderWorld) -> str:
    """One diagnosis, and the one safe action; a person decides what the evidence does not."""
    said = told(world, "diagnose")
    first = said["diagnoses"][0]
    if first["action"]:
        told(world, "mend", digest=said["digest"])
    elif first["kind"] == "label_moved":
        # whoever pointed readers elsewhere takes that back
        current = world.whole_ledger.head(NAME).current
        assert current is not None
        world.secret.current = int(current.id)
    return str(first["kind"])


def check_rest(world: AnyOrderWorld) -> None:
    """No claim, nothing pending, one version current and accepted, nothing else of ours accepted; and it can go on."""
    _at_rest(world)
    before = world.secret.current
    told(world, "rotate")
    assert world.secret.current != before, "the next rotation fails"
    world.advance(OVERLAP_S)
    told(world, "retire")
    _at_rest(world)


def _at_rest(world: AnyOrderWorld) -> None:
    head, secret, target = world.whole_ledger.head(NAME), world.secret, world.target
    assert (head.run_id, head.execution, head.leftover, head.overlap) == ("", "", "", None)
    assert secret.pending is None, "something is pending"
    assert secret.current is not None
    assert head.current is not None
    assert head.current.id == str(secret.current), "the ledger is behind"
    slot, token = secret.ever[secret.current]
    ours = {one: text for one, text in target.tokens.items() if target.outside.get(one) != text}
    assert target.tokens.get(slot) == token, "readers get what the target refuses"
    assert ours.keys() <= {slot}, "an old credential is still accepted"
