"""What exists before the first deployment: a state that is not lost, keys, trusts that name who may come, no value."""

from __future__ import annotations

import json
from collections import Counter

import pytest
import yaml
from bootstrap_access import account
from recorded_stacks import REAL, Stack
from test_no_values import STATIC_CREDENTIAL, VALUE_NAMES, VERSIONS, fields

from bootstrap.config import PROJECT, settings
from bootstrap.program import declare
from infra.config import ROOT
from infra.recording import record
from rotation.errors import Refused

FOLDER = ROOT / "bootstrap"


def trust(bootstrap: Stack, what: str) -> dict[str, object]:
    role = bootstrap.one("aws:iam/role:Role", f"keyturn-bootstrap-{bootstrap.name}-{what}")
    (statement,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert role.inputs["maxSessionDuration"] <= 3_600
    found: dict[str, object] = statement
    return found


def test_staging_and_prod_declare_the_same_types_as_often(bootstraps: dict[str, Stack]) -> None:
    staging, prod = (Counter(one.type for one in bootstraps[name].resources) for name in REAL)
    assert staging == prod


def test_the_bootstraps_files_have_the_same_keys_in_the_same_order_and_nothing_of_the_main_programs() -> None:
    staging, prod = (list(yaml.safe_load((FOLDER / f"Pulumi.{name}.yaml").read_text())["config"]) for name in REAL)
    assert staging == prod == [f"{PROJECT}:githubProvider", f"{PROJECT}:approvers"]


def test_the_state_bucket_is_protected_versioned_private_and_only_reached_over_tls(bootstrap: Stack) -> None:
    (bucket,) = bootstrap.of("aws:s3/bucket:Bucket")
    assert bucket.protect
    assert bucket.inputs["bucket"] == f"keyturn-bootstrap-{bootstrap.name}-state-{account(bootstrap)}"
    assert "forceDestroy" not in bucket.inputs
    (versioning,) = bootstrap.of("aws:s3/bucketVersioning:BucketVersioning")
    assert versioning.inputs["versioningConfiguration"] == {"status": "Enabled"}
    (shut,) = bootstrap.of("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
    assert [value for key, value in shut.inputs.items() if key != "bucket"] == [True] * 4
    (policy,) = bootstrap.of("aws:s3/bucketPolicy:BucketPolicy")
    (deny,) = json.loads(policy.inputs["policy"])["Statement"]
    assert (deny["Effect"], deny["Condition"]["Bool"]) == ("Deny", {"aws:SecureTransport": "false"})


def test_state_and_secrets_have_a_key_each_protected_and_rotating(bootstrap: Stack) -> None:
    keys = {one.name: one for one in bootstrap.of("aws:kms/key:Key")}
    assert set(keys) == {"state", "secrets"}
    for key in keys.values():
        assert key.protect
        assert key.inputs["enableKeyRotation"] is True
        assert key.inputs["deletionWindowInDays"] == 30
    (encryption,) = bootstrap.of(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    )
    default = encryption.inputs["rules"][0]["applyServerSideEncryptionByDefault"]
    assert (default["sseAlgorithm"], default["kmsMasterKeyId"].rpartition("/")[2]) == ("aws:kms", "state")
    aliases = {one.name: one.inputs["name"] for one in bootstrap.of("aws:kms/alias:Alias")}
    assert aliases["secrets"] == f"alias/keyturn-bootstrap-{bootstrap.name}-secrets"


def test_githubs_provider_is_made_once_and_the_main_program_names_it_without_making_it(
    bootstrap: Stack, stacks: dict[str, Stack]
) -> None:
    (provider,) = bootstrap.of("aws:iam/openIdConnectProvider:OpenIdConnectProvider")
    assert provider.inputs["url"] == "https://token.actions.githubusercontent.com"
    assert provider.inputs["clientIdLists"] == ["sts.amazonaws.com"]
    main = stacks[bootstrap.name]
    assert provider.type not in {one.type for one in main.resources}
    role = main.one("aws:iam/role:Role", f"keyturn-{main.name}-delivery")
    (statement,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    arn = f"arn:aws:iam::{account(main)}:oidc-provider/token.actions.githubusercontent.com"
    assert statement["Principal"] == {"Federated": arn}


def test_an_account_that_has_githubs_provider_keeps_it() -> None:
    changes = {f"{PROJECT}:githubProvider": "existing"}
    declared = {one.type for one in record("prod", changes, declare, FOLDER, PROJECT)}
    assert "aws:iam/openIdConnectProvider:OpenIdConnectProvider" not in declared
    assert "aws:iam/role:Role" in declared


def test_the_deployment_role_trusts_one_repository_and_one_environment(bootstrap: Stack) -> None:
    arn = f"arn:aws:iam::{account(bootstrap)}:oidc-provider/token.actions.githubusercontent.com"
    assert trust(bootstrap, "deployment") == {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": arn},
        "Condition": {
            "StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": f"repo:example/keyturn:environment:{bootstrap.name}",
            }
        },
    }


def test_an_approver_is_a_named_person_with_a_fresh_second_factor_under_their_own_name(bootstrap: Stack) -> None:
    assert trust(bootstrap, "approver") == {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": [f"arn:aws:iam::{account(bootstrap)}:user/first-approver"]},
        "Condition": {
            "Bool": {"aws:MultiFactorAuthPresent": "true"},
            "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"},
            "StringEquals": {"sts:RoleSessionName": "${aws:username}"},
        },
    }


def test_an_approver_does_what_the_policy_for_approvers_says_and_nothing_else(bootstrap: Stack) -> None:
    name = f"keyturn-bootstrap-{bootstrap.name}-approver"
    own = json.loads(bootstrap.one("aws:iam/rolePolicy:RolePolicy", name).inputs["policy"])
    approver = bootstrap.one("aws:iam/policy:Policy", f"keyturn-bootstrap-{bootstrap.name}-approver")
    assert own == json.loads(approver.inputs["policy"])


def test_the_bootstrap_holds_no_value_and_no_static_credential(bootstrap: Stack) -> None:
    for resource in bootstrap.resources:
        assert not [version for version in VERSIONS if resource.type.endswith(version)]
        for path, text in fields(dict(resource.inputs)):
            assert not VALUE_NAMES.search(path.rpartition(".")[2]), f"{resource.urn}{path}"
            assert not STATIC_CREDENTIAL.search(text), f"{resource.urn}{path}"


def test_the_bootstrap_only_touches_the_account_of_the_main_programs_stack(bootstrap: Stack) -> None:
    (provider,) = bootstrap.of("pulumi:providers:aws")
    assert "accessKey" not in provider.inputs
    text = (ROOT / f"Pulumi.{bootstrap.name}.yaml").read_text()
    assert f'awsAccount: "{account(bootstrap)}"' in text


@pytest.mark.parametrize(
    ("stack", "changes", "said"),
    [
        ("local", {}, "the sandbox needs no bootstrap"),
        ("prod", {"approvers": "[]"}, f"`{PROJECT}:approvers` is empty"),
        (
            "prod",
            {"approvers": '["arn:aws:iam::222222222222:root"]'},
            f"`{PROJECT}:approvers` has to be a list of ARNs",
        ),
        ("prod", {"githubProvider": "make"}, f"`{PROJECT}:githubProvider` has to be one of declare, existing"),
        ("prod", {"approver": "[]"}, f"`{PROJECT}:approver` is not a key.*did you mean `{PROJECT}:approvers`"),
    ],
)
def test_a_wrong_bootstrap_is_refused_before_anything_is_declared(
    stack: str, changes: dict[str, str], said: str
) -> None:
    right = {"githubProvider": "declare", "approvers": '["arn:aws:iam::222222222222:user/a"]'}
    with pytest.raises(Refused, match=said):
        settings(stack, right | changes)
