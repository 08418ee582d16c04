"""How the Vault and Google adapters are built from a function's environment, and what their clients pass on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import requests
from google.auth import exceptions as auth_exceptions
from hvac import exceptions as vault_exceptions
from store_bench import MARKER, FaultyCaller, value

from rotation.calls import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, Meter, NullBreaker
from rotation.contract import StoreCapabilities
from rotation.errors import Denied, Refused, Throttled, Unavailable
from rotation.stores import gcp_client, gcp_env, vault_client, vault_env
from rotation.stores.gcp import GcpStore
from rotation.stores.gcp_api import Api
from rotation.stores.limits import check_size
from rotation.stores.vault import VaultStore
from rotation.stores.vault_kv import split

VAULT = {
    "VAULT_ADDR": "http://127.0.0.1:1",
    "KEYTURN_VAULT_ROLE": "role",
    "KEYTURN_VAULT_AUDIENCE": "audience",
    "KEYTURN_VAULT_JWT_KEY": "alias/key",
}
GOOGLE = {"KEYTURN_GOOGLE_IDENTITY": '{"audience": "//iam.googleapis.com/x", "service_account": "a@b.example"}'}


@pytest.fixture(autouse=True)
def _emulated_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.mark.parametrize("missing", sorted(VAULT))
def test_a_missing_variable_of_vault_is_named(missing: str) -> None:
    with pytest.raises(Refused, match=missing) as refusal:
        vault_env.from_env({name: text for name, text in VAULT.items() if name != missing}, Meter(), NullBreaker())
    assert refusal.value.reason == "configuration"


@pytest.mark.parametrize("identity", ["", "no json", "[]", '{"audience": "x"}'])
def test_an_identity_of_google_that_is_not_whole_is_refused_without_being_quoted(identity: str) -> None:
    with pytest.raises(Refused, match="KEYTURN_GOOGLE_IDENTITY") as refusal:
        gcp_env.from_env({"KEYTURN_GOOGLE_IDENTITY": identity}, Meter(), NullBreaker())
    assert refusal.value.reason == "configuration"


def test_a_warm_function_keeps_vaults_client_and_token_and_counts_anew() -> None:
    first, second = (vault_env.from_env(VAULT, Meter(), NullBreaker()) for _ in range(2))
    sessions = [store._kv._session for store in (first, second)]
    assert isinstance(first, VaultStore)
    assert sessions[0]._client is sessions[1]._client
    assert sessions[0]._held is sessions[1]._held
    assert sessions[0]._caller.meter is not sessions[1]._caller.meter


def test_another_role_gets_a_token_of_its_own() -> None:
    first = vault_env.from_env(VAULT, Meter(), NullBreaker())
    other = vault_env.from_env({**VAULT, "KEYTURN_VAULT_ROLE": "other"}, Meter(), NullBreaker())
    assert first._kv._session._held is not other._kv._session._held


def test_google_is_reached_with_a_federated_identity_and_without_a_call() -> None:
    first, second = (gcp_env.from_env(GOOGLE, Meter(), NullBreaker()) for _ in range(2))
    assert isinstance(first, GcpStore)
    assert first._api._client is second._api._client
    assert first._api._client.transport.host == "secretmanager.googleapis.com:443"


def test_the_vault_client_has_timeouts_and_takes_no_token_from_its_surroundings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VAULT_TOKEN", MARKER)
    client = vault_client.client("http://127.0.0.1:1")
    assert client.token == ""
    assert client.adapter._kwargs["timeout"] == (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)


def test_vaults_retry_after_reaches_whoever_waits() -> None:
    answer = requests.Response()
    answer.status_code, answer.headers["Retry-After"] = 429, "7"
    with pytest.raises(vault_exceptions.RateLimitExceeded) as raised:
        vault_client.client("http://127.0.0.1:1").adapter._raise_for_error("get", "http://127.0.0.1:1", answer)
    ours = vault_client.translate(raised.value)
    assert isinstance(ours, Throttled)
    assert ours.retry_after_s == 7.0


def test_what_a_provider_says_is_not_quoted() -> None:
    for error in (vault_exceptions.InvalidRequest(errors=[MARKER]), vault_exceptions.InternalServerError(MARKER)):
        assert MARKER not in str(vault_client.translate(error))


def test_a_defect_of_this_program_passes_as_it_is() -> None:
    assert vault_client.translate(ValueError("ours")) is None


def test_a_refused_identity_of_google_is_denied_and_a_silent_token_service_is_unavailable() -> None:
    assert isinstance(gcp_client.translate(auth_exceptions.RefreshError("no")), Denied)
    assert isinstance(gcp_client.translate(auth_exceptions.TransportError("no")), Unavailable)


class _Damaged:
    """A client whose answers do not match their checksums."""

    def access_secret_version(self, **asked: Any) -> Any:
        payload = SimpleNamespace(data=value("x").unsafe_reveal().encode(), data_crc32c=1)
        return SimpleNamespace(name="projects/p/secrets/s/versions/1", payload=payload)

    def add_secret_version(self, **asked: Any) -> Any:
        return SimpleNamespace(name="projects/p/secrets/s/versions/1", client_specified_payload_checksum=False)


def test_a_payload_that_arrived_damaged_is_not_used() -> None:
    api = Api(_Damaged(), FaultyCaller("gcp", gcp_client.translate))
    with pytest.raises(Unavailable) as refusal:
        api.access("projects/p/secrets/s", "1")
    assert refusal.value.reason == "checksum_mismatch"


def test_an_add_whose_checksum_nobody_confirmed_is_in_doubt() -> None:
    api = Api(_Damaged(), FaultyCaller("gcp", gcp_client.translate))
    with pytest.raises(Unavailable) as refusal:
        api.add("projects/p/secrets/s", value("x"))
    assert refusal.value.reason == "checksum_unconfirmed"


@pytest.mark.parametrize("path", ["", "keyturn", "keyturn/", "/"])
def test_a_path_of_vault_without_a_mount_is_refused(path: str) -> None:
    with pytest.raises(Refused) as refusal:
        split(path)
    assert refusal.value.reason == "vault_path"


def test_a_value_of_exactly_the_limit_passes_the_check_and_one_byte_more_does_not() -> None:
    size = len(value("x").unsafe_reveal())
    check_size(value("x"), _limit(size))
    with pytest.raises(Refused):
        check_size(value("x"), _limit(size - 1))


def _limit(size: int) -> StoreCapabilities:
    return StoreCapabilities(
        hidden_pending=True,
        fenced_promotion=True,
        idempotent_stage=True,
        disposes=True,
        lagging_pointer=False,
        rollback_horizon=None,
        max_value_bytes=size,
    )
