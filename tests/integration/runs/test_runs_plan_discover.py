"""`plan` and `discover` on the deployed stack: what they tell is so, and nothing anywhere is changed or read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hvac
import pytest
from runs_credentials import NAMES
from runs_everything import everything
from runs_stack import Stack
from runs_stores import MOUNT

from keyturn import cloud, discover_clients
from keyturn.app import main
from keyturn.exits import Exit
from sandbox.facts import Credentials, Facts
from sandbox.google.remote import calls, plaintext_client

pytestmark = pytest.mark.sandbox

AWS_SECRET, VAULT_PATH, GOOGLE_SECRET = "legacy/api-key", "legacy/token", "legacy-key"
MARKER = "a-value-that-nobody-asks-for"
# What a person needs for Vault, and no more: names and times.
METADATA_ONLY = f'path "{MOUNT}/metadata/*" {{ capabilities = ["list", "read"] }}'


@pytest.fixture
def ours(settled: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The command finds this stack."""
    monkeypatch.setenv("KEYTURN_SANDBOX_DIR", str(settled.layout.root))
    return settled


@dataclass(frozen=True)
class Strays:
    """Secrets that no policy names, and the AWS operations that the command asked for."""

    operations: list[str]


@pytest.fixture
def strays(ours: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Strays]:
    """One in each store; the command's own token of Vault may see metadata alone."""
    aws, vault = ours.aws("secretsmanager"), hvac.Client(ours.facts.vault_address, ours.credentials.vault_root_token)
    google: Any = plaintext_client(ours.facts.google_endpoint)
    project = f"projects/{ours.facts.google_project}"
    aws.create_secret(Name=AWS_SECRET, SecretString=MARKER, Tags=[{"Key": "Owner", "Value": "legacy-team"}])
    vault.secrets.kv.v2.create_or_update_secret(VAULT_PATH, {"token": MARKER}, cas=0, mount_point=MOUNT)
    google.create_secret(parent=project, secret_id=GOOGLE_SECRET, secret={"replication": {"automatic": {}}}, retry=None)
    vault.sys.create_or_update_policy("discover", METADATA_ONLY)
    token = vault.auth.token.create(policies=["discover"])["auth"]["client_token"]
    limited = replace(ours.credentials, vault_root_token=token)

    def sandbox() -> tuple[Facts, Credentials]:
        return ours.facts, limited

    monkeypatch.setattr(discover_clients, "_sandbox", sandbox)
    made = Strays([])
    client = cloud.client

    def listened(*arguments: Any, **options: Any) -> Any:
        found = client(*arguments, **options)
        found.meta.events.register("before-call", lambda model, **_: made.operations.append(model.name))
        return found

    monkeypatch.setattr(cloud, "client", listened)
    calls(ours.facts.google_endpoint, clear=True)
    yield made
    aws.delete_secret(SecretId=AWS_SECRET, ForceDeleteWithoutRecovery=True)
    vault.secrets.kv.v2.delete_metadata_and_all_versions(VAULT_PATH, mount_point=MOUNT)
    vault.sys.delete_policy("discover")
    vault.adapter.close()
    google.delete_secret(name=f"{project}/secrets/{GOOGLE_SECRET}", retry=None)
    google.transport.close()


def test_a_plan_sees_every_credential_from_inside_and_changes_no_store_table_or_target(
    ours: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(ours)
    code = main(["plan", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert everything(ours) == before
    seen = {one["secret"]: one["preflight"] for one in document["plans"] if one["secret"] in NAMES}
    assert set(seen) == set(NAMES)
    for preflight in seen.values():
        assert {check["what"]: check["ok"] for check in preflight["checks"]} == dict.fromkeys(
            ("function", "ledger", "secret", "value", "target", "authority", "authority at target"), True
        )
        assert preflight["when"]["starts_at"]
        assert preflight["meets"]["consumers"]
    failed = {one["secret"] for one in document["plans"] if not _well(one)}
    assert code == (Exit.CHECK_FAILED if failed else Exit.DONE)
    assert not failed & set(NAMES)


def _well(one: dict[str, Any]) -> bool:
    return all(check["ok"] is not False for check in one["preflight"]["checks"])


def test_an_authority_that_nobody_put_there_is_told_from_inside_and_nothing_is_changed_either(
    ours: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    client = ours.aws("secretsmanager")
    name = "keyturn/authority/payments-postgres"
    labelled = client.describe_secret(SecretId=name)["VersionIdsToStages"].items()
    (current,) = [version for version, labels in labelled if "AWSCURRENT" in labels]
    client.update_secret_version_stage(SecretId=name, VersionStage="AWSCURRENT", RemoveFromVersionId=current)
    try:
        before = everything(ours)
        assert main(["plan", "payments/postgres", "--json"]) == Exit.CHECK_FAILED
        assert everything(ours) == before
    finally:
        client.update_secret_version_stage(SecretId=name, VersionStage="AWSCURRENT", MoveToVersionId=current)
    (one,) = json.loads(capsys.readouterr().out)["plans"]
    failed = {check["what"] for check in one["preflight"]["checks"] if check["ok"] is False}
    assert failed == {"authority"}


def test_discover_lists_what_no_policy_rotates_and_asks_no_store_for_a_value(
    ours: Stack, strays: Strays, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(ours)
    calls(ours.facts.google_endpoint, clear=True)
    code = main(["discover", "--json", "--drafts", str(tmp_path / "drafts")])
    google = {one["method"].rpartition("/")[2] for one in calls(ours.facts.google_endpoint)}
    document = json.loads(capsys.readouterr().out)
    assert (code, document["not_listed"]) == (Exit.DONE, [])
    assert {(one["store"], one["path"]) for one in document["unmanaged"]} == {
        ("aws", AWS_SECRET),
        ("vault", f"{MOUNT}/{VAULT_PATH}"),
        ("gcp", GOOGLE_SECRET),
    }
    by_store = {one["store"]: one for one in document["unmanaged"]}
    assert all(one["created"] for one in by_store.values())
    assert (by_store["aws"]["owner"], by_store["gcp"]["readers"]) == ("legacy-team", [])
    authorities = {one["path"]: one["of"] for one in document["authorities"]}
    assert "payments/postgres" in authorities["keyturn/authority/payments-postgres"]
    # each of the three was asked for names and permissions alone
    assert set(strays.operations) == {"ListSecrets", "GetResourcePolicy"}
    assert google == {"ListSecrets", "GetIamPolicy"}
    assert MARKER not in json.dumps(document)
    files = sorted((tmp_path / "drafts").iterdir())
    assert [file.name for file in files] == ["legacy_api_key.py", "legacy_key.py", "legacy_token.py"]
    assert everything(ours) == before


def test_a_store_that_cannot_be_listed_is_said_and_ends_with_its_own_code(
    ours: Stack, strays: Strays, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = replace(ours.credentials, vault_root_token="s.no-such-token")
    monkeypatch.setattr(discover_clients, "_sandbox", lambda: (ours.facts, refused))
    code = main(["discover", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert (code, document["ok"], document["reason"]) == (Exit.INCOMPLETE, False, "vault_denied")
    assert {one["store"] for one in document["unmanaged"]} == {"aws", "gcp"}
    assert strays.operations
