"""Events are sent without a pause through rotations in both directions, by the real steps; and in every wrong order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pytest
from webhook_traffic import Traffic

from rotation.calls import Meter
from rotation.contract import Fence
from rotation.issuers import webhook_signature as webhooks
from rotation.issuers.webhook_signing_key import WebhookSigningKey
from rotation.value import SecretValue
from tests.contract.issuer_bench import caller_of
from tests.model import http_targets
from tests.unit.crash import crash_world
from tests.unit.crash.crash_keys import ENDPOINT, WebhookRig
from tests.unit.crash.crash_trap import Trap
from tests.unit.crash.crash_world import OVERLAP_S, CrashWorld

T = TypeVar("T")

DIRECTIONS = ("send", "receive")
RIGHT = ("apply", "promote", "refresh", "revoke")
# An instance cannot read a version before it is current.
ORDERS = [order for order in itertools.permutations(RIGHT) if order.index("promote") < order.index("refresh")]


class BusyTrap(Trap):
    """Events flow before and after every call of a run."""

    def __init__(self, flow: Callable[[], None]) -> None:
        super().__init__()
        self._flow = flow

    def around(self, name: str, call: Callable[[], T]) -> T:
        self._flow()
        try:
            return super().around(name, call)
        finally:
            self._flow()


def key_of(value: SecretValue) -> bytes:
    return webhooks.decode_key(value.unsafe_fields()["key"])


def facts(direction: str) -> Mapping[str, str]:
    return {**WebhookRig.facts, "direction": direction}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> CrashWorld:
    """KV v2 and a partner, in this process; the direction is the test's."""
    rig = type("Rig", (WebhookRig,), {"facts": facts(request.param)})
    monkeypatch.setitem(crash_world.TARGETS, WebhookRig.kind, rig)
    return CrashWorld("vault", WebhookRig.kind, monkeypatch)


def _endpoints(target: http_targets.HttpTarget) -> Any:
    return target.routes[0].act.__self__  # type: ignore[attr-defined]


def _current(world: CrashWorld) -> bytes:
    found = world.store_rig.current()
    assert found is not None
    return key_of(found[1])


@pytest.mark.parametrize("world", DIRECTIONS, indirect=True)
def test_no_event_is_refused_through_rotations_retirements_and_a_rollback(world: CrashWorld) -> None:
    world.ask("rotate")
    sends = world.target.facts["direction"] == "send"
    target: Any = world.target
    traffic = Traffic(_endpoints(target.target), ENDPOINT, lambda: _current(world), sends=sends)
    world.trap = BusyTrap(traffic.flow)
    keys = {_current(world)}
    for verb in ("rotate", "rotate", "rollback", "rotate"):
        world.ask(verb)
        keys.add(_current(world))
        # within the overlap
        traffic.flow()
        traffic.refresh()
        world.clock.advance(OVERLAP_S)
        world.ask("retire")
        assert world.runs[-1].status == "succeeded", world.runs[-1].failure
    traffic.land()
    assert traffic.refused == []
    assert traffic.events > 1_000
    assert len(keys) == 4, "the rollback went back to a key that had been current"


class Stage:
    """A store of one value, a partner, and a rotation whose steps are taken in any order."""

    def __init__(self, patch: pytest.MonkeyPatch, direction: str) -> None:
        target = http_targets.the_webhooks()
        http_targets.connect(patch, webhooks=target)
        authority = SecretValue.of({"token": http_targets.AUTHORITY})
        caller = caller_of(WebhookSigningKey, Meter())
        issuer = WebhookSigningKey(facts(direction), lambda: authority, caller)
        self._current, self._new = issuer.mint(None).value, issuer.mint(None).value
        issuer.apply(self._current, Fence(run_id="first", epoch=1))
        old = self._current
        self.traffic = Traffic(_endpoints(target), ENDPOINT, lambda: key_of(self._current), sends=direction == "send")
        self._steps: dict[str, Callable[[], object]] = {
            "apply": lambda: issuer.apply(self._new, Fence(run_id="new", epoch=2)),
            "promote": self._promote,
            "refresh": self.traffic.refresh,
            "revoke": lambda: issuer.revoke(old, Fence(run_id="retire", epoch=3)),
        }

    def _promote(self) -> None:
        self._current = self._new

    def walk(self, order: tuple[str, ...]) -> list[str]:
        """Every refusal of an event, those that were on their way at the end included."""
        for step in order:
            self.traffic.flow()
            # so that the order alone is judged, not what was on its way
            self.traffic.land()
            self._steps[step]()
        self.traffic.flow()
        self.traffic.land()
        return self.traffic.refused


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_order_of_a_run_is_the_only_one_in_which_no_event_is_refused(
    monkeypatch: pytest.MonkeyPatch, direction: str
) -> None:
    lossless = [order for order in ORDERS if not Stage(monkeypatch, direction).walk(order)]
    assert lossless == [RIGHT]
    assert len(ORDERS) == 12


def test_a_sender_that_signs_with_its_newest_key_alone_loses_events_in_that_order_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = Stage(monkeypatch, "receive")
    partner = stage.traffic._partner
    live = partner._live
    monkeypatch.setattr(partner, "_live", lambda endpoint: dict([*live(endpoint).items()][-1:]))
    refused = stage.walk(RIGHT)
    assert refused
    assert set(refused) == {"prompt: no_matching_signature", "late: no_matching_signature"}
