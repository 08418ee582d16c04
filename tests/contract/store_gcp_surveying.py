"""What only Google does to a survey and to a clearing: numbers with gaps, no owner, and an alias that may lag."""

from __future__ import annotations

import traceback
from typing import ClassVar

import pytest
from gcp_bench import ANNOTATIONS, GcpBench
from store_bench import MARKER, Rotations, value

from rotation.contract import Version
from rotation.errors import Refused, Unavailable
from rotation.stores.gcp_alias import ALIAS, CLEARED
from rotation.stores.gcp_survey import SEARCH_LIMIT


class GcpSurveying:
    """Beside the promises of every store."""

    tells_owner: ClassVar[bool] = False

    def test_a_survey_shows_every_enabled_candidate_above_the_pointer_over_gaps(
        self, bench: GcpBench, rotations: Rotations
    ) -> None:
        lives = [rotations.stage(value(name)) for name in ("a", "b", "c", "d")]
        rotations.abandon(lives[0])
        bench.raw.disable_secret_version(request={"name": f"{rotations.ref.path}/versions/{lives[2].staged.id}"})
        for known in (None, lives[0].seen.current):
            shown = bench.store().survey(rotations.ref, known)
            assert [pending.version.id for pending in shown.pendings] == ["3", "5"]
            assert [pending.fingerprint for pending in shown.pendings] == [
                lives[1].value.fingerprint(),
                lives[3].value.fingerprint(),
            ]

    def test_a_survey_looks_at_a_bounded_number_of_versions_after_each_pointer(
        self, bench: GcpBench, rotations: Rotations
    ) -> None:
        for number in range(SEARCH_LIMIT + 1):
            bench.raw.add_secret_version(
                request={"parent": rotations.ref.path, "payload": {"data": str(number).encode()}}
            )
        last = str(SEARCH_LIMIT + 2)
        before = bench.caller.meter.totals().get("read", 0)
        alone = bench.store().survey(rotations.ref, None)
        assert bench.caller.meter.totals()["read"] - before == 1 + SEARCH_LIMIT
        assert last not in [pending.version.id for pending in alone.pendings]
        told = bench.store().survey(rotations.ref, Version(id="3"))
        assert last in [pending.version.id for pending in told.pendings]
        assert "3" not in [pending.version.id for pending in told.pendings]

    def test_bytes_that_somebody_added_are_pending_and_are_not_quoted(
        self, bench: GcpBench, rotations: Rotations
    ) -> None:
        payload = {"data": b"\xff" + MARKER.encode()}
        bench.raw.add_secret_version(request={"parent": rotations.ref.path, "payload": payload})
        [pending] = bench.store().survey(rotations.ref, None).pendings
        assert (pending.version, pending.empty, pending.fingerprint) == (Version(id="2"), False, "")
        with pytest.raises(Refused) as refusal:
            rotations.store.read(rotations.ref, pending.version)
        assert refusal.value.reason == "binary_value"
        assert MARKER not in "".join(traceback.format_exception(refusal.value))
        assert refusal.value.__context__ is None, "an exception about bytes carries them"

    def test_while_the_alias_lags_the_version_that_the_ledger_calls_current_is_not_pending(
        self, bench: GcpBench, rotations: Rotations
    ) -> None:
        bench.server.set_lag(stale=True)
        life = rotations.rotate(value("new"))
        shown = bench.store().survey(rotations.ref, life.live)
        assert (shown.current, shown.pendings) == (life.seen.current, ())

    def test_while_the_alias_lags_a_version_that_somebody_promoted_is_never_cleared(
        self, bench: GcpBench, rotations: Rotations
    ) -> None:
        bench.server.set_lag(stale=True)
        life = rotations.rotate(value("new"))
        [seeming] = bench.store().survey(rotations.ref, life.seen.current).pendings
        assert seeming.version == life.live
        with pytest.raises(Unavailable) as refusal:
            bench.store().abandon(rotations.ref, "", seeming.version)
        assert refusal.value.reason == "secret_keeps_changing"
        bench.server.set_lag()
        bench.store().abandon(rotations.ref, "", seeming.version)
        assert bench.readers_get(rotations.ref) == value("new")

    def test_a_clearing_keeps_what_others_have_on_the_secret_and_says_what_it_cleared(
        self, bench: GcpBench, rotations: Rotations
    ) -> None:
        bench.set_maps(rotations.ref, version_aliases={ALIAS: 1, "theirs": 1})
        life = rotations.stage(value("stranger"))
        bench.store().abandon(rotations.ref, "", life.staged)
        shell = bench.shell(rotations.ref)
        assert dict(shell.version_aliases) == {ALIAS: 1, "theirs": 1}
        assert dict(shell.annotations) == ANNOTATIONS | {CLEARED: life.staged.id}
