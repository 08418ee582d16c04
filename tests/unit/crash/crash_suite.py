"""The promises about crashes, inherited by one test class per store, with every credential type and every story."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar

import pytest

from rotation.issuers.registry import issuer_class
from tests.unit.crash.crash_channel import TOLD_IN
from tests.unit.crash.crash_checks import check, check_life_goes_on
from tests.unit.crash.crash_stories import ENDINGS, STORIES, Combo, Moment, Walk, died, undisturbed
from tests.unit.crash.crash_targets import TARGETS
from tests.unit.crash.crash_world import Fate

Record = Callable[[str, object], None]

# Calls of all stories of a combination together, as counted when this was written: 334 to 351 with PostgreSQL, whose
# every statement is one, 176 to 195 with the other two. Below the floor calls have gone round the trap.
FLOORS = {
    "postgres-alternating": 320,
    "bearer-token": 165,
    "signing-key": 165,
    "aws-iam-access-key": 230,
    "key-pair": 165,
    "webhook-signing-key": 165,
    "random-string": 90,
    "postgres-single": 320,
    "redis-acl": 165,
    "vault-static-role": 155,
}
# Which store keeps which credential in the stack itself. For the others only a plain rotation ends otherwise than
# by the machine's Retry, so that all of it takes a minute or two of one core; with this variable set to `all`, every
# story does for all of them.
EVERYTHING = os.environ.get("KEYTURN_CRASH_POINTS") == "all"
PAIRS = {
    ("aws", "postgres-alternating"),
    ("aws", "aws-iam-access-key"),
    ("vault", "bearer-token"),
    ("gcp", "signing-key"),
    ("gcp", "key-pair"),
    ("vault", "webhook-signing-key"),
    ("aws", "random-string"),
    ("aws", "postgres-single"),
    ("vault", "vault-static-role"),
}
# Credential types that are not walked with every store: some functions do not serve them, and time is short.
ONLY_IN = {
    "aws-iam-access-key": {"aws"},
    "key-pair": {"gcp"},
    "webhook-signing-key": {"vault"},
    "random-string": {"aws"},
    "postgres-single": {"aws"},
    "redis-acl": {"vault"},
    "vault-static-role": {"vault"},
}
PLAIN = "second rotation"
# Who is called in any story, whichever the store.
PARTIES = {"ledger", "catalogue", "functions"}

every_credential = pytest.mark.parametrize("credential", TARGETS)
every_story = pytest.mark.parametrize("story", STORIES)
every_ending = pytest.mark.parametrize("ending", ENDINGS)


class CrashPoints:
    """One store."""

    store: ClassVar[str]

    @every_story
    @every_credential
    def test_a_task_that_is_tried_again_ends_as_if_nobody_had_died(
        self, credential: str, story: str, patch: pytest.MonkeyPatch, record_property: Record
    ) -> None:
        combo, told = (self.store, credential), STORIES[story]
        walk = _walked(combo, story, patch)
        versions, told_of = walk.world.store_rig.versions(), walk.world.channel.ids()
        for moment in walk.every:
            world = died(combo, told, patch, Fate.RETRIED, moment)
            with naming(walk.named(moment)):
                assert world.runs[-1].status == told.ends
                assert world.store_rig.versions() == versions, "another version was made"
                assert world.channel.ids() == told_of, "consumers were told of something else"
                check(world)
        record_property("crash points", [*combo, len(walk.calls), len(walk.every)])

    @every_ending
    @every_story
    @every_credential
    def test_an_execution_that_ends_otherwise_leaves_nothing_that_nobody_knows_of(
        self, credential: str, story: str, ending: str, patch: pytest.MonkeyPatch, record_property: Record
    ) -> None:
        combo = (self.store, credential)
        walk = _walked(combo, story, patch)
        named = {walk.named(moment): moment for moment in walk.different}
        for name, moment in named.items():
            with naming(name):
                check_ending(combo, story, ending, moment, patch)
        record_property("crash points", [*combo, 0, len(named)])

    @every_credential
    def test_every_call_is_counted(self, credential: str, patch: pytest.MonkeyPatch) -> None:
        walks = [_walked((self.store, credential), story, patch) for story in STORIES if is_told(credential, story)]
        calls = [call for walk in walks for call in walk.calls]
        assert len(calls) >= FLOORS[credential]
        known = PARTIES | ({"channel"} if (self.store, credential) in TOLD_IN else set())
        parties = {call.partition(": ")[2].partition(".")[0] for call in calls}
        assert len(parties - known) == len({"store", "target"} if has_target(credential) else {"store"}), parties
        assert parties > known


def is_served(combo: Combo) -> bool:
    """Whether the store's function ships the credential type."""
    store, credential = combo
    return store in ONLY_IN.get(credential, {store})


def has_target(credential: str) -> bool:
    """Whether anybody can be asked."""
    capable: bool = issuer_class(credential).capabilities.has_target
    return capable


def is_told(credential: str, story: str) -> bool:
    """Whether there is such a story: a target that does not exist cannot be unwell, what is replaced has no overlap."""
    can, told = issuer_class(credential).capabilities, STORIES[story]
    if can.replaced_by_store and told.verb != "rotate":
        return False
    return can.has_target or not told.refuses


def is_walked(combo: Combo, story: str) -> bool:
    """Whether a story's other endings are, see `PAIRS`."""
    return EVERYTHING or combo in PAIRS or story == PLAIN


def _walked(combo: Combo, story: str, patch: pytest.MonkeyPatch) -> Walk:
    walk = undisturbed(combo, STORIES[story], patch)
    assert walk.world.runs[-1].status == STORIES[story].ends, walk.world.runs[-1].failure
    check(walk.world)
    return walk


def check_ending(combo: Combo, story: str, ending: str, moment: Moment, patch: pytest.MonkeyPatch) -> None:
    """One death, one way to end it, and everything that has to hold then and later."""
    fate, end = ENDINGS[ending]
    world = died(combo, STORIES[story], patch, fate, moment)
    end(world, STORIES[story])
    check(world)
    check_life_goes_on(world)


@contextmanager
def naming(moment: str) -> Iterator[None]:
    """Whatever fails inside names the moment of the death."""
    try:
        yield
    except Exception as exc:
        exc.add_note(f"the process died {moment}")
        raise
