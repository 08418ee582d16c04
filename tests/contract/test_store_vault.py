"""The store contract on a real OpenBao, and what only KV v2 does: soft deletion, dropped versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import ClassVar

import client_reads
import pytest
import store_suite
from store_bench import Crash, Rotations, new_run, value
from store_servers import running
from vault_bench import MOUNT, VaultBench

from infra.vault_store import reader_rules
from keyturn.client import Missing
from keyturn.client.sources.vault import VaultSource
from policies import ALL
from rotation.calls import Kind
from rotation.contract import Observation, Survey, Version
from rotation.errors import Conflict, Denied, NotFound, Refused, Throttled, Unavailable
from rotation.stores import vault_client
from rotation.value import SecretValue
from sandbox.parts.contract import Started
from sandbox.parts.openbao import Openbao

pytestmark = pytest.mark.openbao

PARTNERS = next(policy for policy in ALL if policy.store == "vault")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    with running(Openbao(), tmp_path_factory.mktemp("openbao")) as started:
        admin = VaultBench(started.facts["vault_address"], started.credentials["vault_root_token"]).admin
        admin.sys.enable_secrets_engine("kv", path=MOUNT, options={"version": "2"})
        admin.secrets.kv.v2.configure(max_versions=10, cas_required=True, mount_point=MOUNT)
        yield started


@pytest.fixture
def bench(server: Started) -> VaultBench:
    return VaultBench(server.facts["vault_address"], server.credentials["vault_root_token"])


class TestVaultStore(store_suite.StoreContract):
    """One adapter on one mount."""

    budget: ClassVar[Mapping[str, int]] = {"read": 4, "write": 3}

    def test_live_data_is_the_credentials_fields_and_nothing_of_ours(
        self, bench: VaultBench, rotations: Rotations
    ) -> None:
        rotations.rotate(value("new"))
        assert bench.data(_below(rotations)) == value("new").unsafe_fields()

    def test_the_pending_data_names_its_run(self, bench: VaultBench, rotations: Rotations) -> None:
        life = rotations.stage(value("new"))
        pending = bench.data(f"pending/{_below(rotations)}")
        assert pending == {"run_id": life.run_id, "value": value("new").unsafe_fields()}

    def test_promotion_destroys_the_pending_value_and_keeps_its_version_counter(
        self, bench: VaultBench, rotations: Rotations
    ) -> None:
        life = rotations.rotate(value("new"))
        assert bench.data(f"pending/{_below(rotations)}") is None
        assert str(bench.current_version(f"pending/{_below(rotations)}")) == life.staged.id

    def test_a_remembered_pending_version_saves_the_recovery_read(
        self, bench: VaultBench, rotations: Rotations
    ) -> None:
        rotations.rotate(value("one"))
        seen = rotations.observe()
        before = bench.caller.meter.totals()
        rotations.store.stage(rotations.ref, new_run(), value("two"), seen)
        after = bench.caller.meter.totals()
        assert (after["read"] - before["read"], after["write"] - before["write"]) == (0, 1)

    def test_a_write_with_a_stale_cas_is_refused(self, bench: VaultBench, rotations: Rotations) -> None:
        life = rotations.stage(value("new"))
        bench.somebody_writes(rotations.ref, value("foreign"))
        with pytest.raises(Conflict):
            rotations.promote(life)
        assert bench.data(_below(rotations)) == value("foreign").unsafe_fields()
        assert bench.data(f"pending/{_below(rotations)}") is not None

    def test_a_soft_deleted_head_is_nothing_current_and_is_written_over_with_its_own_version(
        self, bench: VaultBench, rotations: Rotations
    ) -> None:
        bench.kv.delete_latest_version_of_secret(_below(rotations), mount_point=MOUNT)
        seen = rotations.observe()
        assert (seen.current, seen.value, seen.token) == (None, None, "1")
        with pytest.raises(NotFound):
            rotations.store.read_live(rotations.ref)
        assert rotations.rotate(value("new")).live == Version(id="2")
        assert bench.readers_get(rotations.ref) == value("new")

    def test_a_soft_deleted_version_is_not_found_and_the_reason_says_so(
        self, bench: VaultBench, rotations: Rotations
    ) -> None:
        current = rotations.observe().current
        bench.kv.delete_latest_version_of_secret(_below(rotations), mount_point=MOUNT)
        with pytest.raises(NotFound) as refusal:
            rotations.store.read(rotations.ref, current)
        assert refusal.value.reason == "version_deleted"

    def test_a_version_dropped_by_max_versions_is_reported_as_the_rollback_horizon(
        self, bench: VaultBench, rotations: Rotations
    ) -> None:
        # the greater of engine's and path's number counts, so a path alone cannot lower it
        kept = rotations.store.capabilities.rollback_horizon
        lives = [rotations.rotate(value(str(number))) for number in range(kept + 1)]
        first, last = lives[0], lives[-1]
        with pytest.raises(NotFound) as refusal:
            rotations.store.demote(rotations.ref, last.run_id, last.live, first.live)
        assert refusal.value.reason == "beyond_rollback_horizon"
        assert bench.readers_get(rotations.ref) == last.value
        assert rotations.store.read(rotations.ref, lives[1].live) == lives[1].value

    def test_a_promotion_that_lost_its_pending_value_is_refused_without_the_fingerprint(
        self, bench: VaultBench, rotations: Rotations
    ) -> None:
        life = rotations.rotate(value("new"))
        forgotten = Version(id=life.staged.id, path=life.staged.path)
        with pytest.raises(Conflict):
            rotations.store.promote(rotations.ref, life.run_id, forgotten, life.seen.current)
        assert bench.readers_get(rotations.ref) == value("new")

    def test_a_pending_value_destroyed_by_somebody_is_reported_missing(
        self, bench: VaultBench, rotations: Rotations
    ) -> None:
        life = rotations.stage(value("new"))
        bench.kv.destroy_secret_versions(f"pending/{_below(rotations)}", versions=[1], mount_point=MOUNT)
        with pytest.raises(NotFound) as refusal:
            rotations.promote(life)
        assert refusal.value.reason == "staged_missing"

    def test_a_pending_value_that_another_run_staged_is_never_promoted(
        self, bench: VaultBench, rotations: Rotations
    ) -> None:
        before = bench.readers_get(rotations.ref)
        theirs = rotations.stage(value("theirs"))
        with pytest.raises(Conflict) as refusal:
            rotations.store.promote(rotations.ref, new_run(), theirs.staged, theirs.seen.current)
        assert refusal.value.reason == "pending_foreign"
        assert bench.readers_get(rotations.ref) == before
        assert rotations.promote(theirs).live is not None, "the other run's value was taken from it"
        assert bench.readers_get(rotations.ref) == theirs.value

    def test_a_pending_path_whose_metadata_was_deleted_starts_anew(
        self, bench: VaultBench, rotations: Rotations
    ) -> None:
        rotations.rotate(value("one"))
        bench.kv.delete_metadata_and_all_versions(f"pending/{_below(rotations)}", mount_point=MOUNT)
        assert rotations.rotate(value("two")).staged.id == "1"

    def test_a_promotion_that_died_before_it_destroyed_the_candidate_leaves_a_twin_that_a_survey_shows(
        self, bench: VaultBench, rotations: Rotations
    ) -> None:
        life = rotations.stage(value("new"))
        # read the candidate, write it live, and die before it is destroyed
        bench.caller.crash(3, after=False)
        with pytest.raises(Crash):
            rotations.promote(life)
        shown = bench.store().survey(rotations.ref, life.seen.current)
        [twin] = shown.pendings
        assert (twin.owner, twin.version) == (life.run_id, life.staged)
        assert shown.current.fingerprint == twin.fingerprint == value("new").fingerprint()
        bench.store().abandon(rotations.ref, "", twin.version)
        assert bench.store().survey(rotations.ref, None) == Survey(current=shown.current)
        assert bench.readers_get(rotations.ref) == value("new")

    @pytest.mark.parametrize("data", [{"password": "by-hand"}, {"run_id": "x", "value": "no fields"}, {}])
    def test_what_somebody_wrote_on_the_pending_path_by_hand_is_pending_and_can_be_cleared(
        self, bench: VaultBench, rotations: Rotations, data: dict[str, str]
    ) -> None:
        path = f"pending/{_below(rotations)}"
        bench.kv.create_or_update_secret(path, secret=data, cas=0, mount_point=MOUNT)
        [pending] = bench.store().survey(rotations.ref, None).pendings
        assert (pending.version.id, pending.owner, pending.empty) == ("1", data.get("run_id", ""), not data)
        assert bool(pending.fingerprint) is bool(data)
        bench.store().abandon(rotations.ref, "", None)
        assert bench.data(path) == data, "what was not named is not cleared"
        bench.store().abandon(rotations.ref, "", pending.version)
        assert bench.store().survey(rotations.ref, None).pendings == ()
        rotations.rotate(value("new"))
        assert bench.readers_get(rotations.ref) == value("new")

    def test_clearing_a_candidate_leaves_the_one_that_took_its_place(
        self, bench: VaultBench, rotations: Rotations
    ) -> None:
        first = rotations.stage(value("first"))
        rotations.abandon(first)
        second = rotations.stage(value("second"))
        bench.store().abandon(rotations.ref, "", first.staged)
        assert rotations.promote(second).value == bench.readers_get(rotations.ref)

    def test_a_survey_of_a_soft_deleted_head_shows_nothing_current(
        self, bench: VaultBench, rotations: Rotations
    ) -> None:
        bench.kv.delete_latest_version_of_secret(_below(rotations), mount_point=MOUNT)
        assert bench.store().survey(rotations.ref, Version(id="1")) == Survey(current=None)
        assert bench.store().pointed(rotations.ref) is None

    def test_the_pointer_names_nothing_once_its_version_was_destroyed(
        self, bench: VaultBench, rotations: Rotations
    ) -> None:
        bench.kv.destroy_secret_versions(_below(rotations), versions=[1], mount_point=MOUNT)
        assert bench.store().pointed(rotations.ref) is None

    def test_the_pointer_names_a_version_that_will_be_deleted_some_day(
        self, bench: VaultBench, rotations: Rotations
    ) -> None:
        bench.kv.update_metadata(_below(rotations), delete_version_after="1h", mount_point=MOUNT)
        life = rotations.rotate(value("new"))
        kept = bench.kv.read_secret_metadata(_below(rotations), mount_point=MOUNT)["data"]["versions"][life.live.id]
        assert kept["deletion_time"]
        assert bench.store().pointed(rotations.ref) == life.live

    def test_a_value_that_is_not_fields_is_refused(self, rotations: Rotations) -> None:
        with pytest.raises(Refused) as refusal:
            rotations.store.stage(rotations.ref, new_run(), SecretValue("just text"), Observation(current=None))
        assert refusal.value.reason == "value_not_fields"

    def test_a_token_without_the_right_is_denied_after_one_more_login(
        self, bench: VaultBench, rotations: Rotations
    ) -> None:
        token = bench.admin.auth.token.create(policies=["default"])["auth"]["client_token"]
        with pytest.raises(Denied) as refusal:
            bench.store(token).read_live(rotations.ref)
        assert refusal.value.reason == "vault_denied"

    def test_a_rate_limit_is_throttled(self, bench: VaultBench, rotations: Rotations) -> None:
        quota = "/v1/sys/quotas/rate-limit/contract"
        bench.admin.adapter.post(quota, json={"rate": 1, "path": MOUNT, "interval": "60s"})
        try:
            rotations.store.read_live(rotations.ref)
            with pytest.raises(Throttled) as refusal:
                rotations.store.read_live(rotations.ref)
        finally:
            bench.admin.adapter.delete(quota)
        assert refusal.value.reason == "vault_throttled"
        assert bench.caller.pauses == [0.2, 0.4]

    def test_a_sealed_vault_is_unavailable(self, server: Started, bench: VaultBench, rotations: Rotations) -> None:
        bench.admin.sys.seal()
        try:
            with pytest.raises(Unavailable) as refusal:
                rotations.store.read_live(rotations.ref)
        finally:
            bench.admin.sys.submit_unseal_key(server.credentials["vault_unseal_key"])
        assert refusal.value.reason == "vault_sealed"
        assert bench.caller.meter.totals() == {Kind.READ.value: 3}


def test_a_vault_that_is_not_there_is_unavailable() -> None:
    nowhere = VaultBench("http://127.0.0.1:1", "no token")
    with pytest.raises(Unavailable) as refusal:
        nowhere.store().read_live(nowhere.new_secret())
    assert refusal.value.reason == "vault_unreachable"


def _below(rotations: Rotations) -> str:
    return rotations.ref.path.removeprefix(f"{MOUNT}/")


class TestVaultClient(client_reads.ClientReads):
    """The consumer library with a token of the policy that the program declares for readers, and no other."""

    keeps_the_old = True

    @pytest.fixture
    def reader(self, bench: VaultBench) -> client_reads.Reader:
        def source(path: str) -> VaultSource:
            bench.admin.sys.create_or_update_policy("reader", reader_rules(replace(PARTNERS, path=path)))
            client = vault_client.client(bench.address)
            client.token = bench.admin.auth.token.create(policies=["reader"], no_default_policy=True)["auth"][
                "client_token"
            ]
            return VaultSource(client, path)

        return source

    def test_a_reader_is_refused_the_pending_value_by_vault_itself(
        self, bench: VaultBench, rotations: Rotations, reader: client_reads.Reader
    ) -> None:
        rotations.stage(value("new"))
        pending = f"pending/{_below(rotations)}"
        assert bench.data(pending) is not None
        source = reader(rotations.ref.path)
        assert client_reads.same(source.current().value, value("old"))
        source._path = pending  # type: ignore[attr-defined]  # what its constructor refuses
        with pytest.raises(Missing, match="Forbidden"):
            source.current()
