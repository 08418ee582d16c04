"""Types of which nothing is made: stable, well-formed, and on the list that is said out loud."""

from __future__ import annotations

import pytest

from sandbox.facts import Facts
from sandbox.handlers.contract import Properties
from sandbox.handlers.declared_only import DECLARED_ONLY, declared_only

FACTS = Facts(
    aws_endpoint="http://127.0.0.1:1",
    vault_address="http://127.0.0.1:1",
    google_endpoint="127.0.0.1:1",
    postgres_port=1,
    redis_port=1,
    token_service_url="",
    verifier_url="",
    jwks_url="",
    webhooks_url="",
)
HANDLERS = declared_only(FACTS)
POOL = "projects/keyturn-local/locations/global/workloadIdentityPools/pool"
EMAIL = "sa@keyturn-local.iam.gserviceaccount.com"
# inputs, id (None: made up), and outputs that the program derives others from
CASES: dict[str, tuple[Properties, str | None, Properties]] = {
    "aws:codedeploy/application:Application": ({"name": "app", "computePlatform": "Lambda"}, None, {"name": "app"}),
    "aws:codedeploy/deploymentGroup:DeploymentGroup": (
        {"appName": "app", "deploymentGroupName": "group"},
        None,
        {"arn": "arn:aws:codedeploy:us-east-1:000000000000:deploymentgroup:app/group"},
    ),
    "gcp:projects/iAMCustomRole:IAMCustomRole": (
        {"roleId": "r"},
        "projects/keyturn-local/roles/r",
        {"name": "projects/keyturn-local/roles/r"},
    ),
    "gcp:serviceaccount/account:Account": (
        {"project": "keyturn-local", "accountId": "sa"},
        f"projects/keyturn-local/serviceAccounts/{EMAIL}",
        {"email": EMAIL, "member": f"serviceAccount:{EMAIL}"},
    ),
    "gcp:serviceaccount/iAMMember:IAMMember": (
        {"serviceAccountId": "sa", "role": "roles/r", "member": "user:a"},
        "sa/roles/r/user:a",
        {},
    ),
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": (
        {"workloadIdentityPoolId": "pool"},
        POOL,
        {"name": POOL, "workloadIdentityPoolId": "pool"},
    ),
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": (
        {"workloadIdentityPoolId": "pool", "workloadIdentityPoolProviderId": "aws"},
        f"{POOL}/providers/aws",
        {"name": f"{POOL}/providers/aws"},
    ),
    "github:index/repositoryEnvironment:RepositoryEnvironment": (
        {"repository": "keyturn", "environment": "prod"},
        "keyturn:prod",
        {"environment": "prod"},
    ),
    "github:index/actionsEnvironmentVariable:ActionsEnvironmentVariable": (
        {"repository": "keyturn", "environment": "prod", "variableName": "A", "value": "b"},
        "keyturn:prod:A",
        {"value": "b"},
    ),
}


def test_each_is_listed_with_its_reason() -> None:
    assert DECLARED_ONLY.keys() == HANDLERS.keys() == CASES.keys()
    assert all(DECLARED_ONLY.values())


@pytest.mark.parametrize("token", sorted(CASES))
def test_ids_and_outputs_follow_from_the_inputs(token: str) -> None:
    inputs, expected, derived = CASES[token]
    id_, outputs = HANDLERS[token].create("any", inputs)
    assert id_
    assert expected in (None, id_)
    assert {**inputs, **derived}.items() <= outputs.items()
    assert HANDLERS[token].computed <= outputs.keys()
    assert declared_only(FACTS)[token].create("other", inputs) == (id_, outputs)
    assert HANDLERS[token].read(id_, inputs) == HANDLERS[token].update(id_, {}, inputs) == outputs
    HANDLERS[token].delete(id_, outputs)


@pytest.mark.parametrize("token", sorted(CASES))
def test_an_input_that_the_id_is_made_of_replaces(token: str) -> None:
    inputs, _, _ = CASES[token]
    id_, _ = HANDLERS[token].create("any", inputs)
    naming = {key for key in inputs if HANDLERS[token].create("any", {**inputs, key: "else"})[0] != id_}
    assert naming - {"name", "deploymentGroupName"} <= HANDLERS[token].replace_on
