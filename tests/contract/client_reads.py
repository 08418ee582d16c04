"""What the consumer library promises of a store, on the real store and while Keyturn's own adapter rotates in it.

Inherited by one class per store, as the store contract is. The order is the client's: current, current read again past
its memory, previous; never pending. Not here: how sources translate refusals, and the cache alone (unit tests).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from store_bench import Life, Rotations, StoreBench, value

from keyturn.client import Held, Missing, SecretCache, Value
from keyturn.client.sources import Source
from rotation.value import SecretValue
from tests.property.event_maker import SECRET, STACK, event, trusted

Reader = Callable[[str], Source]


class Refused(Exception):
    """The target does not accept a credential."""


class ClientReads:
    """One store. `reader`: a source of one secret, by its path, as a consumer with no other right reads it."""

    # whether a reader can still be given the old version by number after its disposal
    keeps_the_old: bool

    @pytest.fixture
    def reader(self, bench: Any) -> Reader:
        raise NotImplementedError

    @pytest.fixture
    def rotations(self, bench: StoreBench) -> Rotations:
        """A secret with a first value."""
        made = Rotations(bench)
        made.rotate(value("old"))
        return made

    @pytest.fixture
    def cache(self, rotations: Rotations, reader: Reader) -> SecretCache:
        """What a service would make at its start."""
        return SecretCache(SECRET, reader(rotations.ref.path), stack=STACK, keys=trusted())

    def test_a_candidate_is_never_given_and_from_its_promotion_on_it_is(
        self, rotations: Rotations, cache: SecretCache
    ) -> None:
        assert same(cache.get(), value("old"))
        life = rotations.stage(value("new"))
        cache.poll()
        assert same(cache.get(), value("old")), "a service got what was not current"
        life = rotations.promote(life)
        assert same(cache.get(), value("old")), "it serves from memory"
        cache.poll()
        assert same(cache.get(), value("new"))
        assert cache.held().store_version == live_id(life)

    def test_an_abandoned_candidate_was_never_given(self, rotations: Rotations, cache: SecretCache) -> None:
        rotations.abandon(rotations.stage(value("bad")))
        assert same(cache.get(), value("old"))
        cache.poll()
        assert same(cache.get(), value("old"))

    def test_an_event_leads_to_the_version_that_it_names(self, rotations: Rotations, cache: SecretCache) -> None:
        assert same(cache.get(), value("old"))
        life = rotations.rotate(value("new"))
        cache.hear(told(rotations, life))
        assert (same(cache.get(), value("new")), cache.held().store_version) == (True, live_id(life))

    def test_a_refused_credential_is_read_again_and_then_the_previous_one_is_tried(
        self, rotations: Rotations, cache: SecretCache
    ) -> None:
        cache.get()
        rotations.rotate(value("new"))
        shown: list[Value] = []

        def attempt(held: Held) -> str:
            shown.append(held.value)
            if len(shown) < len(expected):
                raise Refused
            return held.store_version

        expected = [value("old"), value("new")]
        cache.call(attempt, lambda exc: isinstance(exc, Refused))
        assert [same(one, other) for one, other in zip(shown, expected, strict=True)] == [True, True]

        shown.clear()
        expected = [value("new"), value("old")]
        cache.call(attempt, lambda exc: isinstance(exc, Refused))
        assert [same(one, other) for one, other in zip(shown, expected, strict=True)] == [True, True]

    def test_a_rollback_gives_the_old_value_again(self, rotations: Rotations, cache: SecretCache) -> None:
        life = rotations.rotate(value("new"))
        assert same(cache.get(), value("new"))
        assert life.live is not None
        assert life.seen.current is not None
        rotations.store.demote(rotations.ref, life.run_id, life.live, life.seen.current)
        cache.poll()
        assert same(cache.get(), value("old"))

    def test_the_previous_version_is_given_by_number_until_it_is_disposed_of(
        self, rotations: Rotations, reader: Reader
    ) -> None:
        source, life = reader(rotations.ref.path), rotations.rotate(value("new"))
        assert life.seen.current is not None
        old = life.seen.current
        assert same(source.by_version(old.id).value, value("old"))
        rotations.store.dispose(rotations.ref, old)
        if self.keeps_the_old:
            assert same(source.by_version(old.id).value, value("old"))
            return
        with pytest.raises(Missing, match="secret_not_given"):
            source.by_version(old.id)

    def test_a_secret_without_a_value_is_missing_and_not_unavailable(self, bench: StoreBench, reader: Reader) -> None:
        with pytest.raises(Missing, match="secret_not_given"):
            reader(bench.new_secret().path).current()


def same(given: Value, expected: SecretValue) -> bool:
    """Whether they are one credential; compared here, so that no failure prints one."""
    return given.unsafe_fields() == expected.unsafe_fields()


def live_id(life: Life) -> str:
    """What the store calls it."""
    assert life.live is not None
    return life.live.id


def told(rotations: Rotations, life: Life) -> dict[str, Any]:
    """The event of the promotion."""
    where = {"store": rotations.ref.store, "path": rotations.ref.path, "store_version": live_id(life)}
    return event(2, at=time.time(), **where)
