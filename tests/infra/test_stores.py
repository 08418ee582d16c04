"""Shells and access in the three stores: readers never reach a pending value, the runtime's moves are left alone."""

from __future__ import annotations

import json
import re
from typing import Any

from recorded_stacks import Stack

from rotation.handlers.control import ALIAS
from rotation.handlers.native import POLICY_TAG
from rotation.stores.vault_auth import ISSUER

SECRET_POLICY = "aws:secretsmanager/secretPolicy:SecretPolicy"


def statements(stack: Stack, name: str) -> dict[str, dict[str, Any]]:
    found = json.loads(stack.one(SECRET_POLICY, name).inputs["policy"])["Statement"]
    return {statement["Sid"]: statement for statement in found}


def hcl(stack: Stack, name: str) -> dict[str, list[str]]:
    text = stack.one("vault:index/policy:Policy", f"keyturn-{stack.name}-{name}").inputs["policy"]
    rules = re.findall(r'path "([^"]+)" \{\s+capabilities = \[([^\]]*)\]\s+\}', text)
    return {path: json.loads(f"[{capabilities}]") for path, capabilities in rules}


def test_a_pending_aws_value_is_denied_to_everyone_but_the_function(stack: Stack) -> None:
    deny = statements(stack, "payments/postgres")["OnlyTheFunctionReadsPending"]
    assert (deny["Effect"], deny["Principal"]) == ("Deny", "*")
    assert deny["Condition"]["StringEquals"] == {"secretsmanager:VersionStage": "AWSPENDING"}
    spared = deny["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
    name = f"keyturn-{stack.name}-aws"
    assert [arn.split(":", 5)[5] for arn in spared] == [f"role/{name}", f"assumed-role/{name}/*"]


def test_an_aws_reader_gets_current_and_previous_by_label_only(stack: Stack) -> None:
    condition = statements(stack, "payments/postgres")["ReadersReadCurrent"]["Condition"]
    assert condition["StringEqualsIfExists"] == {"secretsmanager:VersionStage": ["AWSCURRENT", "AWSPREVIOUS"]}
    assert condition["Null"] == {"secretsmanager:VersionId": "true"}
    (reader,) = condition["ArnEquals"]["aws:PrincipalArn"]
    assert reader.endswith(":role/payments-app")


def test_a_reader_may_decrypt_through_secrets_manager_only(stack: Stack) -> None:
    policy = json.loads(stack.one("aws:kms/key:Key", "data").inputs["policy"])
    (reading,) = [one for one in policy["Statement"] if one["Sid"] == "KeyForReaders"]
    assert reading["Action"] == ["kms:Decrypt"]
    readers = [arn.rpartition("/")[2] for arn in reading["Condition"]["ArnEquals"]["aws:PrincipalArn"]]
    assert readers == ["exports-app", "payments-app"]
    assert reading["Condition"]["StringEquals"]["kms:ViaService"].startswith("secretsmanager.")


def test_an_authority_in_aws_is_read_by_the_function_alone(stack: Stack) -> None:
    found = statements(stack, "keyturn/authority/payments-postgres")
    assert list(found) == ["OnlyTheFunctionReads"]
    assert list(found["OnlyTheFunctionReads"]["Condition"]) == ["ArnNotLike"]


def test_every_aws_shell_has_a_policy_and_the_stacks_key(stack: Stack) -> None:
    shells = stack.of("aws:secretsmanager/secret:Secret")
    assert {shell.name for shell in shells} == {policy.name for policy in stack.of(SECRET_POLICY)}
    assert all(shell.inputs["kmsKeyId"] for shell in shells)
    assert all(policy.inputs["blockPublicPolicy"] for policy in stack.of(SECRET_POLICY))


def test_a_vault_reader_sees_the_live_path_and_never_pending(stack: Stack) -> None:
    assert hcl(stack, "reader-partners-api-token") == {
        "keyturn/data/partners/api-token": ["read"],
        "keyturn/data/pending/*": ["deny"],
    }


def test_the_vault_function_reaches_its_secrets_pending_places_and_authorities_only(stack: Stack) -> None:
    rules = hcl(stack, "function")
    assert rules["keyturn/data/authority/token-service"] == ["read"]
    assert rules["keyturn/data/pending/partners/api-token"] == ["create", "read", "update"]
    secrets = {path.split("/", 2)[2] for path in rules if path.startswith("keyturn/")}
    authorities = {"authority/events", "authority/token-service", "authority/webhooks"}
    own = ("partners/api-token", "partners/webhook-key")
    assert secrets == {*authorities, *own, *(f"pending/{path}" for path in own)}
    assert not [path for path in rules if "*" in path or "+" in path]
    assert not [path for path, capabilities in rules.items() if {"delete", "sudo", "list"} & set(capabilities)]


def test_every_vault_write_is_check_and_set(stack: Stack) -> None:
    (engine,) = stack.of("vault:kv/secretBackendV2:SecretBackendV2")
    assert engine.inputs["casRequired"] is True
    (mount,) = stack.of("vault:index/mount:Mount")
    assert (mount.inputs["path"], mount.inputs["type"]) == ("keyturn", "kv-v2")


def test_vault_is_logged_in_to_with_a_short_token_of_one_subject_and_audience(stack: Stack) -> None:
    (method,) = stack.of("vault:jwt/authBackend:AuthBackend")
    (key,) = method.inputs["jwtValidationPubkeys"]
    assert key.startswith("-----BEGIN PUBLIC KEY-----")
    (role,) = stack.of("vault:jwt/authBackendRole:AuthBackendRole")
    inputs = role.inputs
    variables = stack.one("aws:lambda/function:Function", f"keyturn-{stack.name}-vault").inputs["environment"][
        "variables"
    ]
    assert inputs["boundAudiences"] == [variables["KEYTURN_VAULT_AUDIENCE"]]
    assert inputs["roleName"] == inputs["boundSubject"] == variables["KEYTURN_VAULT_ROLE"]
    assert inputs["tokenPolicies"] == [f"keyturn-{stack.name}-function"]
    assert inputs["tokenNoDefaultPolicy"] is True
    assert inputs["tokenMaxTtl"] <= 300


def test_google_shells_leave_alone_what_the_runtime_moves(stack: Stack) -> None:
    shells = stack.of("gcp:secretmanager/secret:Secret")
    authorities = {"keyturn-authority-events", "keyturn-authority-verifier"}
    assert {shell.inputs["secretId"] for shell in shells} == {"analytics-signing-key", *authorities}
    for shell in shells:
        assert {"annotations", "versionAliases"} <= set(shell.ignore_changes)
        assert not {"annotations", "versionAliases", "rotation"} & set(shell.inputs)


def test_google_members_hold_one_secret_each_and_never_the_project(stack: Stack) -> None:
    members = stack.of("gcp:secretmanager/secretIamMember:SecretIamMember")
    held = {
        (one.inputs["secretId"], one.inputs["member"].split("@")[0], one.inputs["role"].rpartition("/")[2])
        for one in members
    }
    function = f"serviceAccount:keyturn-{stack.name}-gcp"
    assert held == {
        ("analytics-signing-key", function, f"keyturn_{stack.name}_rotator"),
        ("analytics-signing-key", "serviceAccount:analytics-app", "secretmanager.secretAccessor"),
        ("keyturn-authority-events", function, "secretmanager.secretAccessor"),
        ("keyturn-authority-verifier", function, "secretmanager.secretAccessor"),
    }
    assert not [resource for resource in stack.resources if resource.type.startswith("gcp:projects/iAMMember")]


def test_the_google_function_may_not_delete_a_secret_or_change_who_holds_it(stack: Stack) -> None:
    (role,) = stack.of("gcp:projects/iAMCustomRole:IAMCustomRole")
    held = set(role.inputs["permissions"])
    assert {"secretmanager.versions.add", "secretmanager.versions.access", "secretmanager.secrets.update"} <= held
    assert not [permission for permission in held if permission.endswith((".delete", "setIamPolicy", ".create"))]


def test_google_accepts_one_aws_role_of_one_account(stack: Stack) -> None:
    (provider,) = stack.of("gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider")
    assert provider.inputs["attributeCondition"] == f"attribute.aws_role == 'keyturn-{stack.name}-gcp'"
    assert provider.inputs["aws"]["accountId"].isdecimal()
    (member,) = stack.of("gcp:serviceaccount/iAMMember:IAMMember")
    assert member.inputs["member"].endswith(f"/attribute.aws_role/keyturn-{stack.name}-gcp")
    assert member.inputs["role"] == "roles/iam.workloadIdentityUser"


def test_the_program_and_the_functions_spell_shared_names_alike(stack: Stack) -> None:
    (method,) = stack.of("vault:jwt/authBackend:AuthBackend")
    assert method.inputs["boundIssuer"] == ISSUER
    secret = stack.one("aws:secretsmanager/secret:Secret", "payments/postgres")
    assert secret.inputs["tags"] == {POLICY_TAG: "payments/postgres"}
    for alias in stack.of("aws:lambda/alias:Alias"):
        assert alias.inputs["name"] == ALIAS
