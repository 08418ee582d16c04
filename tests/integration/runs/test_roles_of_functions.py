"""With AWS enforcing policies: the declared roles are enough for every credential's life, and for nothing beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hvac
import pytest
from hvac.exceptions import Forbidden
from runs_bus import put, replaced, rotations, sent, trigger
from runs_credentials import ALL, Credential
from runs_life import Life, live_all
from runs_outbound import IAM_KEY, WEBHOOK_KEY, Outbound, Told, live_outbound
from runs_reminder import NAME as BY_HAND
from runs_reminder import Reminded, remind
from runs_roles import ALLOWED, DENIED, Role, told
from runs_stack import BUCKET, LEDGER, PREFIX, Stack
from runs_targets import ACCEPTED

pytestmark = pytest.mark.sandbox

SECRET, AUTHORITY, FOREIGN = "payments/postgres", "keyturn/authority/payments-postgres", "billing/stripe"
FUNCTIONS = ("aws", "vault", "gcp", "control")
ALGORITHM = "RSASSA_PKCS1_V1_5_SHA_256"
OUTBOUND = (WEBHOOK_KEY, IAM_KEY)
ROTATE = f"arn:aws:states:us-east-1:000000000000:stateMachine:{PREFIX}-rotate"


@pytest.fixture(scope="module")
def guarded_lives(guarded: Stack) -> dict[str, Life]:
    return live_all(guarded, watched=False)


@pytest.fixture(scope="module")
def roles(guarded: Stack, guarded_lives: dict[str, Life]) -> dict[str, Role]:
    guarded.aws("secretsmanager").create_secret(Name=FOREIGN, SecretString="{}")
    return {function: Role(guarded, function) for function in FUNCTIONS}


@pytest.mark.parametrize("credential", ALL, ids=lambda credential: credential.name)
def test_a_credential_lives_and_dies_under_the_declared_roles(
    credential: Credential, guarded_lives: dict[str, Life]
) -> None:
    life = guarded_lives[credential.name]
    assert [ended.status for ended in (life.first, life.second, life.retired)] == ["SUCCEEDED"] * 3
    assert (life.shown["old, retired"], life.shown["new, alone"]) == (credential.refusal, ACCEPTED)


@pytest.mark.parametrize("credential", ALL, ids=lambda credential: credential.name)
def test_a_preflight_needs_nothing_that_the_declared_roles_lack(
    credential: Credential, guarded: Stack, guarded_lives: dict[str, Life]
) -> None:
    checks = guarded.verb("probe", secret=credential.name)["checks"]
    assert [(check["what"], check["says"]) for check in checks if check["ok"] is not True] == []
    assert len(checks) > 1


@pytest.fixture(scope="module")
def outbound(guarded: Stack, guarded_lives: dict[str, Life]) -> dict[str, Told]:
    return {one.name: live_outbound(guarded, one) for one in OUTBOUND}


@pytest.mark.parametrize("credential", OUTBOUND, ids=lambda credential: credential.name)
def test_a_key_that_waits_for_people_and_consumers_lives_and_dies_under_the_declared_roles(
    credential: Outbound, outbound: dict[str, Told]
) -> None:
    told = outbound[credential.name]
    assert (told.early["ok"], told.early["reason"]) == (False, "not_acknowledged")
    assert [(one.status, one.run["status"]) for one in (told.rotated, told.retired)] == [("SUCCEEDED", "succeeded")] * 2
    assert told.shown == {
        "old, in the overlap": ACCEPTED,
        "new, in the overlap": ACCEPTED,
        "old, retired": credential.refusal,
        "new, retired": ACCEPTED,
    }


@pytest.mark.parametrize("credential", OUTBOUND, ids=lambda credential: credential.name)
def test_the_ledger_has_the_evidence_of_their_deaths_and_of_who_had_the_new_one(
    credential: Outbound, outbound: dict[str, Told]
) -> None:
    told = outbound[credential.name]
    proof, heard = told.retired.step("prove")["facts"], told.retired.step("acknowledge")["facts"]
    assert (proof["proof"], proof["old_verdict"], proof["new_verdict"]) == ("dead", "refused", "accepted")
    assert proof["old_code"] in credential.refusal.split()
    assert heard["version"] == told.rotated.run["run_id"]
    assert heard["consumers"] == f"{credential.consumer} 1 of 1: acknowledged"
    # everybody whom the policy tells was told, by the invocation that promoted
    assert told.rotated.step("publish")["facts"]["outcome"] == "passed"


@pytest.fixture(scope="module")
def reminded(guarded: Stack, guarded_lives: dict[str, Life]) -> Reminded:
    return remind(guarded)


def test_a_run_waits_for_a_person_and_ends_with_the_version_that_they_made(reminded: Reminded) -> None:
    listed = reminded.listed
    assert (listed["secret"], listed["owner"], listed["overdue"]) == (BY_HAND, "billing", False)
    assert [said["reason"] for said in (reminded.unknown, reminded.too_early)] == [
        "evidence_unknown",
        "evidence_not_newer",
    ]
    assert (reminded.said["result"]["version"], reminded.said["result"]["status"]) == (reminded.made[1], "done")
    ended = reminded.ended
    assert (ended.status, ended.run["status"]) == ("SUCCEEDED", "succeeded")
    assert [step["step"] for step in ended.run["steps"]] == ["evidence"]
    facts = ended.step("evidence")["facts"]
    assert (facts["before"], facts["version"]) == reminded.made
    assert facts["by"].startswith("arn:aws:iam::")
    assert facts["why"] == "at the console"


def test_no_function_can_read_what_a_person_makes_or_write_it(reminded: Reminded, roles: dict[str, Role]) -> None:
    assert reminded.made
    for role in roles.values():
        assert _read(role, BY_HAND) == DENIED
        assert role.told("secretsmanager", "put_secret_value", SecretId=BY_HAND, SecretString="{}") == DENIED


def test_an_event_that_names_a_place_is_followed_to_a_run_under_the_declared_roles(
    guarded: Stack, guarded_lives: dict[str, Life]
) -> None:
    name = "partners/api-token"
    before, found = len(rotations(guarded, name)), trigger("finding-1", "leak", store="vault", path=f"keyturn/{name}")
    sent(guarded, found["id"], lambda: put(guarded, found))
    assert replaced(guarded, name, before)["requested_by"] == "event:keyturn.triggers"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_roles_credentials_work_for_what_the_function_does(function: str, roles: dict[str, Role]) -> None:
    key = {"pk": {"S": "switch"}, "sk": {"S": "global"}}
    assert roles[function].told("dynamodb", "get_item", TableName=LEDGER, Key=key) == ALLOWED


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_the_aws_function_reads_its_secrets_and_nobody_a_foreign_one(
    function: str, roles: dict[str, Role]
) -> None:
    said = [_read(roles[function], name) for name in (SECRET, AUTHORITY, FOREIGN)]
    assert said == ([ALLOWED, ALLOWED, DENIED] if function == "aws" else [DENIED] * 3)


def _read(role: Role, name: str) -> str:
    return role.told("secretsmanager", "get_secret_value", SecretId=name)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nobody_writes_an_authoritys_credential_or_deletes_a_secret(function: str, roles: dict[str, Role]) -> None:
    role = roles[function]
    assert role.told("secretsmanager", "put_secret_value", SecretId=AUTHORITY, SecretString="{}") == DENIED
    assert role.told("secretsmanager", "delete_secret", SecretId=SECRET) == DENIED


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_the_vault_function_signs_logins_and_only_with_their_key(
    function: str, guarded: Stack, roles: dict[str, Role]
) -> None:
    aliases = guarded.aws("kms").list_aliases()["Aliases"]
    keys = {alias["AliasName"]: alias["TargetKeyId"] for alias in aliases}
    assert set(keys) >= {f"alias/{PREFIX}-{what}" for what in ("signing", "data", "catalogue")}
    said = {
        name: roles[function].told("kms", "sign", KeyId=key, Message=b"login", SigningAlgorithm=ALGORITHM)
        for name, key in keys.items()
    }
    signing = ALLOWED if function == "vault" else DENIED
    assert said.pop(f"alias/{PREFIX}-signing") == signing
    # the key of events signs with another algorithm, for the functions that tell consumers
    assert said.pop(f"alias/{PREFIX}-events-1") == (DENIED if function == "control" else "InvalidKeyUsageException")
    assert set(said.values()) == {DENIED}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_function_can_seal_a_policy(function: str, guarded: Stack, roles: dict[str, Role]) -> None:
    key = f"alias/{PREFIX}-catalogue"
    bound = {"keyturn-stack": "local", "keyturn-policy": "payments/postgres"}
    assert guarded.aws("kms").encrypt(KeyId=key, Plaintext=b"digest", EncryptionContext=bound)["CiphertextBlob"]
    said = roles[function].told("kms", "encrypt", KeyId=key, Plaintext=b"digest", EncryptionContext=bound)
    assert said == DENIED


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_control_starts_runs(function: str, roles: dict[str, Role]) -> None:
    # an execution of a secret that no policy names ends at its claim
    given = '{"secret": "nothing", "reason": "a test", "requested_by": "tests"}'
    said = roles[function].told("stepfunctions", "start_execution", stateMachineArn=ROTATE, input=given)
    assert said == (ALLOWED if function == "control" else DENIED)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_catalogue_is_read_by_who_needs_it_and_written_by_nobody(function: str, roles: dict[str, Role]) -> None:
    role = roles[function]
    reads = {"aws": [ALLOWED, DENIED], "vault": [DENIED, ALLOWED], "control": [ALLOWED, ALLOWED]}
    keys = [f"policies/{name}.json" for name in (SECRET, "partners/api-token")]
    said = [role.told("s3", "get_object", Bucket=BUCKET, Key=key) for key in keys]
    assert said == reads.get(function, [DENIED, DENIED])
    assert role.told("s3", "put_object", Bucket=BUCKET, Key=keys[0], Body=b"{}") == DENIED


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nobody_empties_the_ledger_or_changes_a_function(function: str, roles: dict[str, Role]) -> None:
    role, own = roles[function], f"{PREFIX}-{function}"
    assert role.told("dynamodb", "scan", TableName=LEDGER) == DENIED
    assert role.told("dynamodb", "delete_table", TableName=LEDGER) == DENIED
    assert role.told("lambda", "update_function_configuration", FunctionName=own, Timeout=1) == DENIED


def test_who_knows_no_role_is_refused(guarded: Stack) -> None:
    stranger: dict[str, Any] = {"aws_access_key_id": "AKIASTRANGER00000000", "aws_secret_access_key": "unknown"}
    client = guarded.aws("secretsmanager", **stranger)
    assert told(lambda: client.get_secret_value(SecretId=SECRET)) not in (ALLOWED, "ResourceNotFoundException")


@pytest.fixture(scope="module")
def vault_function(guarded: Stack) -> Iterator[hvac.Client]:
    """Vault with a token that holds the function's policy and no other."""
    root = hvac.Client(url=guarded.facts.vault_address, token=guarded.credentials.vault_root_token)
    foreign = {"token": "none"}
    root.secrets.kv.v2.create_or_update_secret("billing/stripe", secret=foreign, cas=0, mount_point="keyturn")
    made = root.auth.token.create(policies=[f"{PREFIX}-function"], no_default_policy=True)
    client = hvac.Client(url=guarded.facts.vault_address, token=made["auth"]["client_token"])
    yield client
    client.adapter.close()
    root.adapter.close()


def test_the_vault_function_reads_its_secret_and_authority_and_no_other(vault_function: hvac.Client) -> None:
    for path in ("partners/api-token", "authority/token-service"):
        assert vault_function.read(f"keyturn/data/{path}")
    for path in ("keyturn/data/billing/stripe", "sys/mounts", "auth/token/lookup-self"):
        with pytest.raises(Forbidden):
            vault_function.read(path)


def test_the_vault_function_writes_no_authority_and_deletes_no_metadata(vault_function: hvac.Client) -> None:
    with pytest.raises(Forbidden):
        vault_function.write_data("keyturn/data/authority/token-service", data={"data": {"token": "mine"}})
    for path in ("keyturn/metadata/partners/api-token", "keyturn/metadata/pending/partners/api-token"):
        with pytest.raises(Forbidden):
            vault_function.delete(path)
