"""The store contract for Secrets Manager, with the traps of its labels and tokens, on any emulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest
import store_suite
from aws_bench import AwsBench
from store_bench import Crash, Rotations, new_run, value

from rotation.contract import Pending, Version
from rotation.errors import Conflict, NotFound
from rotation.stores.aws import CURRENT, PENDING, PREVIOUS


class AwsContract(store_suite.StoreContract):
    """One adapter on one emulator."""

    budget: ClassVar[Mapping[str, int]] = {"read": 4, "write": 2}

    def test_a_pending_value_not_found_right_after_its_put_is_asked_again_and_not_made_again(
        self, bench: AwsBench, rotations: Rotations
    ) -> None:
        life = rotations.stage(value("new"))
        bench.client.hidden = 2
        assert rotations.store.read(rotations.ref, life.staged) == value("new")
        assert bench.caller.pauses == [0.2, 0.4]
        assert bench.client.count("put_secret_value") == 1

    def test_a_put_whose_answer_was_lost_is_found_again_though_it_cannot_be_seen_at_once(
        self, bench: AwsBench, rotations: Rotations
    ) -> None:
        run_id, seen = new_run(), rotations.observe()
        bench.caller.crash(1, after=True)
        with pytest.raises(Crash):
            rotations.store.stage(rotations.ref, run_id, value("new"), seen)
        bench.client.hidden = 2
        assert bench.store().find_staged(rotations.ref, run_id, {}) == Version(id=run_id)
        assert bench.caller.pauses == [0.2, 0.4]

    def test_a_value_that_stays_hidden_is_not_found(self, bench: AwsBench, rotations: Rotations) -> None:
        life = rotations.stage(value("new"))
        bench.client.hidden = 3
        with pytest.raises(NotFound):
            rotations.store.read(rotations.ref, life.staged)

    def test_the_version_has_the_runs_id(self, rotations: Rotations) -> None:
        life = rotations.stage(value("new"))
        assert life.staged == Version(id=life.run_id)

    def test_a_put_names_the_pending_label_alone(self, bench: AwsBench, rotations: Rotations) -> None:
        rotations.stage(value("new"))
        put = next(asked for verb, asked in bench.client.calls if verb == "put_secret_value")
        assert put["VersionStages"] == [PENDING]

    def test_a_move_of_current_names_the_version_it_must_leave(self, bench: AwsBench, rotations: Rotations) -> None:
        life = rotations.rotate(value("new"))
        moves = [asked for verb, asked in bench.client.calls if verb == "update_secret_version_stage"]
        assert moves == [
            {
                "SecretId": rotations.ref.path,
                "VersionStage": CURRENT,
                "MoveToVersionId": life.run_id,
                "RemoveFromVersionId": life.seen.current.id,
            }
        ]

    def test_finish_with_current_moved_by_somebody_else_stops_and_keeps_every_label(
        self, bench: AwsBench, rotations: Rotations
    ) -> None:
        life = rotations.stage(value("new"))
        bench.somebody_writes(rotations.ref, value("foreign"))
        before = bench.labels(rotations.ref)
        with pytest.raises(Conflict):
            rotations.promote(life)
        assert bench.labels(rotations.ref) == before

    def test_the_version_that_current_left_is_the_previous_one(self, bench: AwsBench, rotations: Rotations) -> None:
        life = rotations.rotate(value("new"))
        assert rotations.observe().previous == life.seen.current
        assert PREVIOUS in bench.labels(rotations.ref)[life.seen.current.id]

    def test_a_put_takes_the_pending_label_off_the_version_that_had_it(
        self, bench: AwsBench, rotations: Rotations
    ) -> None:
        rotations.rotate(value("new"))
        life = rotations.stage(value("newer"))
        pending = [version for version, labels in bench.labels(rotations.ref).items() if PENDING in labels]
        assert pending == [life.run_id], "one label is on one version"

    def test_a_version_that_was_left_is_not_pending_any_more(self, bench: AwsBench, rotations: Rotations) -> None:
        life = rotations.rotate(value("bad"))
        rotations.store.demote(rotations.ref, life.run_id, life.live, life.seen.current)
        assert PENDING not in bench.labels(rotations.ref)[life.live.id]
        assert rotations.store.survey(rotations.ref, life.seen.current).pendings == ()

    def test_pending_on_the_current_version_is_a_finished_rotation(self, bench: AwsBench, rotations: Rotations) -> None:
        current = rotations.observe().current
        bench.raw.update_secret_version_stage(
            SecretId=rotations.ref.path, VersionStage=PENDING, MoveToVersionId=current.id
        )
        assert rotations.observe().pending is None
        rotations.rotate(value("new"))
        assert bench.readers_get(rotations.ref) == value("new")

    def test_an_empty_placeholder_is_pending_but_is_nothing_staged(self, bench: AwsBench, rotations: Rotations) -> None:
        run_id = new_run()
        bench.client.placeholder = {run_id: [PENDING]}
        assert rotations.observe().pending == Version(id=run_id)
        assert rotations.store.find_staged(rotations.ref, run_id, {}) is None
        life = rotations.stage(value("new"), run_id)
        assert rotations.store.read(rotations.ref, life.staged) == value("new")

    def test_abandoning_takes_only_the_pending_label_away(self, bench: AwsBench, rotations: Rotations) -> None:
        before = bench.labels(rotations.ref)
        rotations.abandon(rotations.stage(value("new")))
        shown = {version: labels for version, labels in bench.labels(rotations.ref).items() if labels}
        assert shown == before

    def test_a_survey_tells_an_empty_placeholder_from_a_value_and_whose_it_is(
        self, bench: AwsBench, rotations: Rotations
    ) -> None:
        current, token = rotations.observe().current, new_run()
        bench.register_placeholder(rotations.ref, token)
        shown = bench.store().survey(rotations.ref, current)
        assert shown.current == current
        assert shown.pendings == (Pending(version=Version(id=token), owner=token, empty=True),)

    def test_a_placeholder_that_a_dead_rotation_left_is_cleared_and_the_next_run_works(
        self, bench: AwsBench, rotations: Rotations
    ) -> None:
        bench.register_placeholder(rotations.ref, new_run())
        with pytest.raises(Conflict, match="pending_foreign"):
            rotations.stage(value("new"))
        [pending] = bench.store().survey(rotations.ref, None).pendings
        bench.store().abandon(rotations.ref, "", pending.version)
        assert bench.store().survey(rotations.ref, None).pendings == ()
        rotations.rotate(value("new"))
        assert bench.readers_get(rotations.ref) == value("new")

    def test_a_pending_value_that_cannot_be_seen_yet_is_not_taken_for_a_placeholder(
        self, bench: AwsBench, rotations: Rotations
    ) -> None:
        rotations.stage(value("new"))
        bench.client.hidden = 2
        [pending] = bench.store().survey(rotations.ref, None).pendings
        assert (pending.empty, pending.fingerprint) == (False, value("new").fingerprint())

    def test_a_survey_reads_the_labels_because_a_list_of_versions_hides_what_is_empty(
        self, bench: AwsBench, rotations: Rotations
    ) -> None:
        bench.store().survey(rotations.ref, None)
        assert [verb for verb, _ in bench.client.calls] == ["describe_secret"]

    def test_the_pending_label_on_the_current_version_is_not_pending_and_no_clearing_touches_it(
        self, bench: AwsBench, rotations: Rotations
    ) -> None:
        current = rotations.observe().current
        bench.raw.update_secret_version_stage(
            SecretId=rotations.ref.path, VersionStage=PENDING, MoveToVersionId=current.id
        )
        assert bench.store().survey(rotations.ref, current).pendings == ()
        before = bench.labels(rotations.ref)
        bench.store().abandon(rotations.ref, "", current)
        assert bench.labels(rotations.ref) == before

    def test_unsticking_removes_the_label_moves_nothing_and_leaves_the_schedule_alone(
        self, bench: AwsBench, rotations: Rotations
    ) -> None:
        life = rotations.stage(value("stranger"))
        bench.client.calls.clear()
        bench.store().abandon(rotations.ref, "", life.staged)
        assert bench.client.calls == [
            ("describe_secret", {"SecretId": rotations.ref.path}),
            (
                "update_secret_version_stage",
                {"SecretId": rotations.ref.path, "VersionStage": PENDING, "RemoveFromVersionId": life.run_id},
            ),
        ]

    def test_a_pending_label_that_the_service_took_away_itself_leaves_nothing_to_abandon(
        self, bench: AwsBench, rotations: Rotations
    ) -> None:
        life = rotations.stage(value("new"))
        bench.raw.update_secret_version_stage(
            SecretId=rotations.ref.path, VersionStage=PENDING, RemoveFromVersionId=life.run_id
        )
        rotations.abandon(life)
        assert bench.store().survey(rotations.ref, None).pendings == ()
        assert bench.client.count("update_secret_version_stage") == 0
