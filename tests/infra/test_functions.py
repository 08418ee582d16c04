"""What every function has, whatever its store."""

from __future__ import annotations

import json

import pytest
from recorded_stacks import Stack

from infra.names import FUNCTIONS
from rotation.definition import FUNCTION_TIMEOUT_S, TASK_TIMEOUT_S

FUNCTION = "aws:lambda/function:Function"


@pytest.fixture(params=FUNCTIONS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_function_ends_before_the_task_that_invokes_it(kind: str, stack: Stack) -> None:
    inputs = stack.one(FUNCTION, f"keyturn-{stack.name}-{kind}").inputs
    assert inputs["timeout"] == FUNCTION_TIMEOUT_S
    assert inputs["timeout"] < TASK_TIMEOUT_S


def test_a_function_has_concurrency_memory_tracing_and_a_published_version(kind: str, stack: Stack) -> None:
    inputs = stack.one(FUNCTION, f"keyturn-{stack.name}-{kind}").inputs
    assert inputs["reservedConcurrentExecutions"] >= 1
    assert inputs["memorySize"] >= 256
    assert inputs["tracingConfig"] == {"mode": "Active"}
    assert inputs["publish"] is True
    assert (inputs["runtime"], inputs["architectures"]) == ("python3.11", ["x86_64"])
    assert inputs["handler"] == f"rotation.handlers.{kind}.handle"


def test_a_functions_log_group_exists_before_it_and_forgets_after_the_configured_days(kind: str, stack: Stack) -> None:
    group = stack.one("aws:cloudwatch/logGroup:LogGroup", f"keyturn-{stack.name}-{kind}")
    assert group.inputs["name"] == f"/aws/lambda/keyturn-{stack.name}-{kind}"
    assert group.inputs["retentionInDays"] == {"local": 1, "staging": 30, "prod": 400}[stack.name]
    assert group.inputs["kmsKeyId"]
    assert group.urn in stack.one(FUNCTION, f"keyturn-{stack.name}-{kind}").depends_on


def test_what_a_function_could_not_do_goes_to_a_dead_letter_queue_of_its_own(kind: str, stack: Stack) -> None:
    queue = stack.one("aws:sqs/queue:Queue", f"keyturn-{stack.name}-{kind}-dead")
    assert queue.inputs["sqsManagedSseEnabled"] is True
    dead = stack.one(FUNCTION, f"keyturn-{stack.name}-{kind}").inputs["deadLetterConfig"]["targetArn"]
    assert dead.endswith(f":{queue.inputs['name']}")


def test_the_alias_leaves_version_and_weights_to_deployments(kind: str, stack: Stack) -> None:
    alias = stack.one("aws:lambda/alias:Alias", f"keyturn-{stack.name}-{kind}")
    assert alias.inputs["name"] == "live"
    assert alias.ignore_changes == ("functionVersion", "routingConfig")


def test_secrets_manager_may_invoke_the_aws_function_for_this_account_through_the_alias(stack: Stack) -> None:
    permission = stack.one("aws:lambda/permission:Permission", "native-rotation")
    assert permission.inputs["function"] == f"keyturn-{stack.name}-aws"
    assert permission.inputs["qualifier"] == "live"
    assert permission.inputs["principal"] == "secretsmanager.amazonaws.com"
    assert permission.inputs["sourceAccount"].isdecimal()


def test_functions_of_real_stacks_are_placed_in_the_configured_network(stacks: dict[str, Stack]) -> None:
    for name, stack in stacks.items():
        for function in stack.of(FUNCTION):
            assert bool(function.inputs.get("vpcConfig", {}).get("subnetIds")) is (name != "local")


def test_every_function_knows_its_stack_ledger_and_catalogue(kind: str, stack: Stack) -> None:
    variables = stack.one(FUNCTION, f"keyturn-{stack.name}-{kind}").inputs["environment"]["variables"]
    assert variables["KEYTURN_STACK"] == stack.name
    assert variables["KEYTURN_LEDGER_TABLE"] == stack.of("aws:dynamodb/table:Table")[0].inputs["name"]
    assert variables["KEYTURN_CATALOGUE_BUCKET"] == stack.of("aws:s3/bucket:Bucket")[0].inputs["bucket"]
    # the emulator injects it, and a real function must never have it
    assert "AWS_ENDPOINT_URL" not in variables


def test_control_knows_the_machines_that_exist(stack: Stack) -> None:
    variables = stack.one(FUNCTION, f"keyturn-{stack.name}-control").inputs["environment"]["variables"]
    machines = {machine.inputs["name"] for machine in stack.of("aws:sfn/stateMachine:StateMachine")}
    for kind in ("ROTATE", "RETIRE"):
        assert variables[f"KEYTURN_{kind}_MACHINE_ARN"].rpartition(":")[2] in machines
    functions = {function.inputs["name"] for function in stack.of(FUNCTION)}
    assert set(json.loads(variables["KEYTURN_FUNCTIONS"]).values()) == functions - {f"keyturn-{stack.name}-control"}


def test_google_is_reached_by_federation_in_real_stacks_and_by_loopback_in_the_sandbox(
    stacks: dict[str, Stack],
) -> None:
    for name, stack in stacks.items():
        variables = stack.one(FUNCTION, f"keyturn-{name}-gcp").inputs["environment"]["variables"]
        if name == "local":
            assert "KEYTURN_GOOGLE_IDENTITY" not in variables
            assert variables["KEYTURN_GOOGLE_ENDPOINT"].startswith("127.0.0.1:")
            continue
        assert "KEYTURN_GOOGLE_ENDPOINT" not in variables
        identity = json.loads(variables["KEYTURN_GOOGLE_IDENTITY"])
        (pool,) = stack.of("gcp:iam/workloadIdentityPool:WorkloadIdentityPool")
        assert identity["audience"].endswith(f"/{pool.inputs['workloadIdentityPoolId']}/providers/aws")
        assert identity["service_account"].startswith(f"keyturn-{name}-gcp@")
