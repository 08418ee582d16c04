"""The store contract on the Google server, and what only Google does: adds that repeat, aliases that lag, etags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import client_reads
import grpc
import pytest
import store_gcp_surveying
import store_suite
from gcp_bench import ANNOTATIONS, LABELS, GcpBench, google
from google.api_core.exceptions import FailedPrecondition
from store_bench import Rotations, new_run, value

from keyturn.client import SecretCache
from keyturn.client.sources.google import GoogleSource
from rotation.contract import Remembered, Version
from rotation.errors import Denied, NotFound, Refused, Throttled, Unavailable
from rotation.stores import gcp_client
from rotation.stores.crc32c import crc32c
from rotation.stores.gcp_alias import ALIAS, PROMOTED
from sandbox.google.switches import When


@pytest.fixture
def bench() -> Iterator[GcpBench]:
    with google() as made:
        yield made


class TestGcpStore(store_gcp_surveying.GcpSurveying, store_suite.StoreContract):
    """One adapter on one server."""

    budget: ClassVar[Mapping[str, int]] = {"read": 3, "write": 4}

    def test_an_add_whose_answer_timed_out_leaves_one_candidate_and_the_alias_alone(
        self, bench: GcpBench, rotations: Rotations
    ) -> None:
        bench.switches.fail_next("AddSecretVersion", grpc.StatusCode.DEADLINE_EXCEEDED, when=When.AFTER)
        life = rotations.stage(value("new"))
        assert (life.staged, bench.versions_made(rotations.ref)) == (Version(id="2"), 2)
        assert bench.shell(rotations.ref).version_aliases == {ALIAS: 1}

    def test_an_add_that_failed_is_sent_once_and_reported_in_doubt(self, bench: GcpBench, rotations: Rotations) -> None:
        bench.switches.fail_next("AddSecretVersion", grpc.StatusCode.UNAVAILABLE, when=When.BEFORE)
        with pytest.raises(Unavailable):
            rotations.stage(value("new"))
        assert bench.caller.meter.totals()["write"] == 1
        assert bench.versions_made(rotations.ref) == 1

    def test_an_add_still_under_way_is_found_by_the_next_look_and_never_made_twice(
        self, bench: GcpBench, rotations: Rotations
    ) -> None:
        run_id = new_run()
        bench.switches.fail_next("AddSecretVersion", grpc.StatusCode.DEADLINE_EXCEEDED, when=When.LATE)
        with pytest.raises(Unavailable):
            rotations.stage(value("new"), run_id)
        bench.server.release_late()
        hint = {"expected": "1", "fingerprint": value("new").fingerprint()}
        assert bench.store().find_staged(rotations.ref, run_id, hint) == Version(id="2")
        assert bench.readers_get(rotations.ref) == value("old")

    def test_recovery_steps_over_abandoned_candidates(self, bench: GcpBench, rotations: Rotations) -> None:
        for name in ("a", "b"):
            rotations.abandon(rotations.stage(value(name)))
        staged = rotations.stage(value("new")).staged
        hint = {"expected": "1", "fingerprint": value("new").fingerprint()}
        assert (staged.id, bench.store().find_staged(rotations.ref, new_run(), hint)) == ("4", staged)

    def test_labels_annotations_and_aliases_of_others_stay(self, bench: GcpBench, rotations: Rotations) -> None:
        bench.set_maps(rotations.ref, version_aliases={ALIAS: 1, "theirs": 1})
        life = rotations.rotate(value("new"))
        shell = bench.shell(rotations.ref)
        assert dict(shell.labels) == LABELS
        assert dict(shell.version_aliases) == {ALIAS: 2, "theirs": 1}
        assert dict(shell.annotations) == ANNOTATIONS | {PROMOTED: f"{life.run_id}:2"}

    def test_what_somebody_changes_during_the_promotion_stays_too(self, bench: GcpBench, rotations: Rotations) -> None:
        life = rotations.stage(value("new"))
        store, api = rotations.store, rotations.store._api
        genuine = api.shell

        def shell_then_somebody_else(path: str) -> Any:
            api.shell = genuine
            seen = genuine(path)
            bench.set_maps(rotations.ref, annotations={"added": "meanwhile"}, labels={"team": "other"})
            return seen

        api.shell = shell_then_somebody_else
        store.promote(rotations.ref, life.run_id, life.staged, life.seen.current)
        shell = bench.shell(rotations.ref)
        assert shell.annotations["added"] == "meanwhile"
        assert dict(shell.labels) == {"team": "other"}
        assert bench.readers_get(rotations.ref) == value("new")

    def test_a_secret_seen_late_is_never_overwritten(self, bench: GcpBench, rotations: Rotations) -> None:
        life = rotations.stage(value("new"))
        bench.server.set_lag(stale=True)
        bench.set_maps(rotations.ref, version_aliases={})
        with pytest.raises(Unavailable) as refusal:
            rotations.promote(life)
        assert refusal.value.reason == "secret_keeps_changing"
        bench.server.set_lag()
        assert dict(bench.shell(rotations.ref).version_aliases) == {}

    def test_while_the_alias_lags_health_is_read_by_number_and_the_old_version_is_kept(
        self, bench: GcpBench, rotations: Rotations
    ) -> None:
        bench.server.set_lag(stale=True)
        life = rotations.rotate(value("new"))
        assert rotations.store.capabilities.lagging_pointer
        assert rotations.store.read(rotations.ref, life.live) == value("new")
        assert rotations.store.read_live(rotations.ref) == (life.seen.current, value("old"))
        with pytest.raises(Refused) as refusal:
            rotations.store.dispose(rotations.ref, life.seen.current)
        assert refusal.value.reason == "version_is_current"
        assert rotations.store.read(rotations.ref, life.seen.current) == value("old")

    def test_when_the_alias_has_spread_the_old_version_is_destroyed(
        self, bench: GcpBench, rotations: Rotations
    ) -> None:
        bench.server.set_lag(stale=True)
        life = rotations.rotate(value("new"))
        bench.server.set_lag()
        assert rotations.store.dispose(rotations.ref, life.seen.current) == "destroyed"

    def test_a_delayed_destruction_is_scheduled_recoverable_and_keeps_its_time(self, bench: GcpBench) -> None:
        ref = bench.new_secret(version_destroy_ttl={"seconds": 86_400})
        bench.somebody_writes(ref, value("old"))
        rotations = Rotations(bench, ref)
        old = rotations.rotate(value("new")).seen.current
        assert rotations.store.dispose(ref, old) == "scheduled"
        name = {"name": f"{ref.path}/versions/{old.id}"}
        due = bench.raw.get_secret_version(request=name).scheduled_destroy_time
        assert rotations.store.dispose(ref, old) == "scheduled"
        assert bench.raw.get_secret_version(request=name).scheduled_destroy_time == due
        bench.raw.enable_secret_version(request=name)
        assert rotations.store.read(ref, old) == value("old")

    def test_a_disabled_version_is_not_found_and_cannot_be_gone_back_to(
        self, bench: GcpBench, rotations: Rotations
    ) -> None:
        life = rotations.rotate(value("new"))
        bench.raw.disable_secret_version(request={"name": f"{rotations.ref.path}/versions/1"})
        with pytest.raises(NotFound) as refusal:
            rotations.store.demote(rotations.ref, life.run_id, life.live, life.seen.current)
        assert refusal.value.reason == "version_not_enabled"
        assert bench.readers_get(rotations.ref) == value("new")

    def test_a_version_scheduled_for_destruction_can_be_gone_back_to_once_it_is_enabled_again(
        self, bench: GcpBench
    ) -> None:
        ref = bench.new_secret(version_destroy_ttl={"seconds": 86_400})
        bench.somebody_writes(ref, value("old"))
        rotations = Rotations(bench, ref)
        life = rotations.rotate(value("new"))
        rotations.store.dispose(ref, life.seen.current)
        with pytest.raises(NotFound) as refusal:
            rotations.store.demote(ref, life.run_id, life.live, life.seen.current)
        assert refusal.value.reason == "version_not_enabled"
        assert "enable" in refusal.value.remedy
        bench.raw.enable_secret_version(request={"name": f"{ref.path}/versions/{life.seen.current.id}"})
        rotations.store.demote(ref, life.run_id, life.live, life.seen.current)
        assert bench.readers_get(ref) == value("old")

    def test_the_ledgers_number_is_the_pointer_and_costs_no_call(self, bench: GcpBench, rotations: Rotations) -> None:
        seen = rotations.store.observe(rotations.ref, Remembered(current=Version(id="1"), pending_token="1"))
        assert (seen.current, seen.pending_token) == (Version(id="1"), "1")
        assert bench.caller.meter.totals() == {}

    def test_latest_is_never_asked_for(self, bench: GcpBench, rotations: Rotations) -> None:
        life = rotations.rotate(value("new"))
        rotations.store.demote(rotations.ref, life.run_id, life.live, life.seen.current)
        rotations.store.read_live(rotations.ref)
        assert [call.resource for call in bench.server.calls if "latest" in call.resource] == []

    def test_the_payload_is_sent_with_its_checksum(self, bench: GcpBench, rotations: Rotations) -> None:
        version = rotations.stage(value("new")).staged
        stored = bench.raw.get_secret_version(request={"name": f"{rotations.ref.path}/versions/{version.id}"})
        assert stored.client_specified_payload_checksum is True

    def test_throttling_waits_as_long_as_the_service_asks(self, bench: GcpBench, rotations: Rotations) -> None:
        bench.switches.throttled_retry_s = 3.0
        with pytest.raises(Throttled) as refusal:
            rotations.store.read(rotations.ref, Version(id="1"))
        assert (refusal.value.reason, refusal.value.retry_after_s) == ("gcp_throttled", 3.0)
        assert bench.caller.pauses == [3.0, 3.0]

    def test_a_refused_identity_is_denied(self, bench: GcpBench, rotations: Rotations) -> None:
        bench.switches.denied = {"*"}
        with pytest.raises(Denied) as refusal:
            rotations.store.read_live(rotations.ref)
        assert refusal.value.reason == "gcp_denied"


def test_a_server_that_is_not_there_is_unavailable(bench: GcpBench) -> None:
    ref = bench.new_secret()
    bench.server.stop()
    with pytest.raises(Unavailable) as refusal:
        bench.store().read_live(ref)
    assert refusal.value.reason == "gcp_unavailable"


def test_a_defect_of_this_program_is_not_translated() -> None:
    assert gcp_client.translate(ValueError("ours")) is None
    assert gcp_client.translate(FailedPrecondition("theirs")) is not None


def test_the_checksum_is_the_one_of_the_standard() -> None:
    # RFC 3720 appendix B.4: 32 bytes of zeroes, and the check value of every CRC catalogue
    assert (crc32c(bytes(32)), crc32c(b"123456789")) == (0x8A9136AA, 0xE3069283)


class TestGoogleClient(client_reads.ClientReads):
    """The consumer library over gRPC."""

    keeps_the_old = False

    @pytest.fixture
    def reader(self, bench: GcpBench) -> client_reads.Reader:
        return lambda path: GoogleSource(bench.raw, path)

    def test_an_alias_that_lags_never_leads_back_behind_an_event(
        self, bench: GcpBench, rotations: Rotations, cache: SecretCache
    ) -> None:
        assert client_reads.same(cache.get(), value("old"))
        bench.server.set_lag(stale=True)
        life = rotations.rotate(value("new"))
        cache.poll()
        assert client_reads.same(cache.get(), value("old")), "the alias is late, and nobody has said more"
        cache.hear(client_reads.told(rotations, life))
        assert client_reads.same(cache.get(), value("new")), "a number is never late"
        cache.poll()
        assert client_reads.same(cache.get(), value("new"))

    def test_the_trap_is_real_latest_would_have_shown_the_candidate(
        self, bench: GcpBench, rotations: Rotations, cache: SecretCache
    ) -> None:
        rotations.stage(value("new"))
        latest = bench.raw.access_secret_version(name=f"{rotations.ref.path}/versions/latest")
        assert latest.payload.data.decode() == value("new").unsafe_reveal()
        assert client_reads.same(cache.get(), value("old"))
