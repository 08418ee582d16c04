"""A function's process that is killed with SIGKILL right after it moved current, before it could record or answer that.

One point per store of what `make crash-full` walks as a whole, by the same code: real machines, the real function zips,
real targets. The run is recorded undisturbed first, which finds the call.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench.crash.lane import Edge
from bench.crash.place import SECRETS, Place, place
from bench.crash.stories import ROTATION, Point
from bench.crash.walk import Result, Walk
from bench.crash.witness import witness

pytestmark = [pytest.mark.sandbox, pytest.mark.openbao, pytest.mark.postgres]

# What makes the new version current in each store.
PIVOTS = {"aws": "UpdateSecretVersionStage", "vault": "POST data live", "gcp": "UpdateSecret"}


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("crash") / "sandbox", lambda _: None) as made:
        yield made


@pytest.fixture(scope="module")
def results(where: Place) -> dict[str, list[Result]]:
    """All three stores side by side."""

    def walk(store: str) -> list[Result]:
        with witness(where, store) as seen:
            return Walk(seen, lambda _: None).all([ROTATION], lambda points: right_after(PIVOTS[store], points))

    with ThreadPoolExecutor(len(SECRETS)) as pool:
        return dict(zip(SECRETS, pool.map(walk, SECRETS), strict=True))


def right_after(name: str, points: list[Point]) -> list[Point]:
    return [
        point
        for point in points
        if (point.trap.call.step, point.trap.call.word.name) == ("promote", name)
        and (point.trap.edge, point.trap.kills, point.stopped) == (Edge.AFTER, 1, False)
    ]


@pytest.mark.parametrize("store", SECRETS)
def test_a_function_killed_after_it_moved_current_ends_its_rotation_by_retry(
    store: str, results: dict[str, list[Result]]
) -> None:
    (result,) = results[store]
    assert result.died == 1, "no process was killed"
    assert (result.status, result.ended_by) == ("succeeded", "retry")


@pytest.mark.parametrize("store", SECRETS)
def test_after_it_one_version_is_current_and_accepted_and_its_overlap_ends(
    store: str, results: dict[str, list[Result]]
) -> None:
    (result,) = results[store]
    assert result.wrong == []


@pytest.mark.parametrize("store", SECRETS)
def test_the_next_retirement_leaves_one_credential_that_the_target_accepts(
    store: str, where: Place, results: dict[str, list[Result]]
) -> None:
    with witness(where, store) as seen:
        live = seen.store.live()
        assert seen.target.accepts(live.text)
        assert seen.target.places() == {seen.target.place_of(live.text)}
        assert seen.head().current is not None
        assert seen.head().overlap is None
