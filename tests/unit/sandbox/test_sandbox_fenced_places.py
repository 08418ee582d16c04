"""A fenced place refuses who comes late, repeats without harm, and remembers over a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.targets.fenced import FencedPlaces, GenerationUsed, NoFreePlace, Place, StaleGeneration


@pytest.fixture
def places(tmp_path: Path) -> FencedPlaces:
    return FencedPlaces(tmp_path / "state.json", per_owner=2)


def test_a_lower_generation_is_refused_and_changes_nothing(places: FencedPlaces) -> None:
    places.put("acme", "a", "hash-5", 5)
    with pytest.raises(StaleGeneration):
        places.put("acme", "a", "hash-4", 4)
    with pytest.raises(StaleGeneration):
        places.empty("acme", "a", 4)
    assert places.of("acme") == {"a": Place("hash-5", 5)}


def test_the_same_generation_and_content_twice_is_one_change(places: FencedPlaces) -> None:
    places.put("acme", "a", "hash", 1)
    places.put("acme", "a", "hash", 1)
    assert places.of("acme") == {"a": Place("hash", 1)}


def test_another_content_under_the_same_generation_is_refused(places: FencedPlaces) -> None:
    places.put("acme", "a", "hash", 1)
    with pytest.raises(GenerationUsed):
        places.put("acme", "a", "other", 1)
    assert places.of("acme") == {"a": Place("hash", 1)}


def test_a_late_call_cannot_bring_back_what_the_same_run_removed(places: FencedPlaces) -> None:
    places.put("acme", "a", "hash", 3)
    assert places.empty("acme", "a", 3) is True
    with pytest.raises(GenerationUsed):
        places.put("acme", "a", "hash", 3)
    assert places.of("acme") == {"a": Place("", 3)}


def test_removal_twice_and_of_nothing_is_success_and_takes_the_generation(places: FencedPlaces) -> None:
    assert places.empty("acme", "a", 2) is False
    assert places.empty("acme", "a", 2) is False
    with pytest.raises(StaleGeneration):
        places.put("acme", "a", "hash", 1)


def test_a_later_generation_fills_an_emptied_place_again(places: FencedPlaces) -> None:
    places.empty("acme", "a", 2)
    places.put("acme", "a", "hash", 3)
    assert places.of("acme") == {"a": Place("hash", 3)}


def test_an_owner_has_only_so_many_places_and_owners_are_apart(places: FencedPlaces) -> None:
    places.put("acme", "a", "x", 1)
    places.put("acme", "b", "y", 1)
    with pytest.raises(NoFreePlace):
        places.put("acme", "c", "z", 1)
    places.put("globex", "c", "z", 1)
    assert set(places.of("acme")) == {"a", "b"}
    assert set(places.of("globex")) == {"c"}
    assert places.of("nobody") == {}


def test_a_restart_keeps_contents_and_fences(places: FencedPlaces, tmp_path: Path) -> None:
    places.put("acme", "a", "x", 7)
    places.empty("acme", "b", 9)
    again = FencedPlaces(tmp_path / "state.json", per_owner=2)
    assert again.of("acme") == {"a": Place("x", 7), "b": Place("", 9)}
    with pytest.raises(StaleGeneration):
        again.put("acme", "b", "z", 8)
