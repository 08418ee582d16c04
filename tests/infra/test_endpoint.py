"""People reach control through one door: a route per verb, each of them asking IAM, and no word of a body kept."""

from __future__ import annotations

import json

from bootstrap_access import account, allowing, statements
from recorded_stacks import REAL, Stack

from infra.config import ROOT
from infra.endpoint import ANSWER_TIMEOUT_MS
from rotation.control.table import VERBS
from rotation.definition import FUNCTION_TIMEOUT_S
from rotation.routes import APPROVE, BREAK_GLASS, EMERGENCY, OPERATE, READ, ROUTES, Route

PERMISSION = "aws:lambda/permission:Permission"
POLICY = "aws:iam/policy:Policy"
# The longest that an HTTP API waits (API Gateway quotas).
GATEWAY_WAITS_MS = 30_000
# API Gateway's words for what a caller wrote; none of them may be logged.
WRITTEN_BY_CALLERS = ("requestBody", "body", "header", "querystring", "path", "overrides")


def test_every_verb_of_control_has_a_route_and_every_route_a_verb(stack: Stack) -> None:
    routes = stack.of("aws:apigatewayv2/route:Route")
    assert {route.inputs["routeKey"] for route in routes} == set(ROUTES)
    assert len(routes) == len(ROUTES)
    assert {route.verb for route in ROUTES.values()} == set(VERBS)


def test_no_route_is_open_and_all_lead_to_the_live_version_of_control(stack: Stack) -> None:
    (integration,) = stack.of("aws:apigatewayv2/integration:Integration")
    assert integration.inputs["integrationUri"].endswith(f"keyturn-{stack.name}-control:live")
    assert (integration.inputs["integrationType"], integration.inputs["payloadFormatVersion"]) == ("AWS_PROXY", "2.0")
    assert integration.inputs["timeoutMilliseconds"] == ANSWER_TIMEOUT_MS < GATEWAY_WAITS_MS
    assert ANSWER_TIMEOUT_MS < FUNCTION_TIMEOUT_S * 1000
    for route in stack.of("aws:apigatewayv2/route:Route"):
        assert route.inputs["authorizationType"] == "AWS_IAM"
        assert route.inputs["target"] == f"integrations/{integration.name}-id"
        assert stack.one(PERMISSION, f"keyturn-{stack.name}-endpoint").urn in route.depends_on


def test_the_api_is_called_what_the_command_looks_for(stack: Stack) -> None:
    (api,) = stack.of("aws:apigatewayv2/api:Api")
    assert (api.inputs["name"], api.inputs["protocolType"]) == (f"keyturn-{stack.name}-endpoint", "HTTP")
    assert "corsConfiguration" not in api.inputs


def test_only_this_api_and_only_its_verbs_invoke_control_and_only_through_the_alias(stack: Stack) -> None:
    permission = stack.one(PERMISSION, f"keyturn-{stack.name}-endpoint").inputs
    assert (permission["function"], permission["qualifier"]) == (f"keyturn-{stack.name}-control", "live")
    assert permission["principal"] == "apigateway.amazonaws.com"
    assert permission["sourceArn"].endswith(f":keyturn-{stack.name}-endpoint/$default/POST/verbs/*")


def test_the_stage_is_throttled_and_logs_who_and_what_but_nothing_that_a_caller_wrote(stack: Stack) -> None:
    (stage,) = stack.of("aws:apigatewayv2/stage:Stage")
    settings = stage.inputs["defaultRouteSettings"]
    assert 0 < settings["throttlingRateLimit"] <= settings["throttlingBurstLimit"] <= 100
    assert (stage.inputs["name"], stage.inputs["autoDeploy"]) == ("$default", True)
    line = json.loads(stage.inputs["accessLogSettings"]["format"])
    assert {"requestId", "identity.userArn", "routeKey", "status"} <= set(line)
    assert all(value == f"$context.{name}" for name, value in line.items())
    assert not [name for name in line if name.split(".")[-1] in WRITTEN_BY_CALLERS]


def test_access_logs_are_encrypted_and_forgotten(stack: Stack) -> None:
    group = stack.one("aws:cloudwatch/logGroup:LogGroup", f"keyturn-{stack.name}-endpoint").inputs
    assert group["name"] == f"/aws/vendedlogs/apis/keyturn-{stack.name}-endpoint"
    assert group["kmsKeyId"]
    assert group["retentionInDays"] == {"local": 1, "staging": 30, "prod": 400}[stack.name]


def people(bootstrap: Stack, who: str) -> list[dict[str, object]]:
    name = f"keyturn-bootstrap-{bootstrap.name}-{who}"
    return [dict(one) for one in statements([bootstrap.one(POLICY, name)], bootstrap)]


def opened(bootstrap: Stack, who: str) -> set[str]:
    """Keys of the routes that a policy opens, of an API with any id."""
    here = f"arn:aws:execute-api:eu-central-1:{account(bootstrap)}:a1b2c3d4/$default"
    allowed = people(bootstrap, who)
    return {key for key in ROUTES if allowing(allowed, "execute-api:Invoke", f"{here}/{key.replace(' ', '')}")}


def test_people_see_act_answer_and_stop_by_four_policies_and_only_one_of_them_breaks_the_glass(
    bootstrap: Stack,
) -> None:
    def keys(*verbs: str, glass: bool = False) -> set[str]:
        return {Route(verb, break_glass=glass).key for verb in verbs}

    assert opened(bootstrap, "reader") == keys(*READ)
    assert opened(bootstrap, "operator") == keys(*READ, *OPERATE)
    assert opened(bootstrap, "approver") == keys(*READ, *APPROVE)
    assert opened(bootstrap, "emergency") == keys(*READ, *EMERGENCY) | keys(*BREAK_GLASS, glass=True)


def test_no_policy_for_people_leads_past_the_endpoint(bootstrap: Stack, stacks: dict[str, Stack]) -> None:
    main = stacks[bootstrap.name]
    here, own = f"eu-central-1:{account(bootstrap)}", f"keyturn-{bootstrap.name}-"
    control = f"arn:aws:lambda:{here}:function:{own}control"
    machines = {machine.inputs["name"] for machine in main.of("aws:sfn/stateMachine:StateMachine")}
    assert all(name.startswith(own) for name in machines)
    for who in ("reader", "operator", "approver", "emergency"):
        (deny,) = [one for one in people(bootstrap, who) if one["Effect"] == "Deny"]
        assert deny["Action"] == ["lambda:InvokeFunction", "states:StartExecution"]
        assert deny["Resource"] == [control, f"{control}:*", f"arn:aws:states:{here}:stateMachine:{own}*"]


def test_no_policy_for_people_reaches_a_store_the_ledger_or_identity(bootstrap: Stack) -> None:
    services = {
        action.split(":")[0]
        for who in ("reader", "operator", "approver", "emergency")
        for one in people(bootstrap, who)
        if one["Effect"] == "Allow" and isinstance(one["Action"], list)
        for action in one["Action"]
    }
    assert services == {"execute-api", "apigateway", "lambda", "states"}


def test_the_documentation_lists_the_verbs_of_each_policy() -> None:
    def told(*verbs: str) -> str:
        return ", ".join(f"`{verb}`" for verb in verbs)

    written = (ROOT / "docs" / "command.md").read_text()
    assert f"| reader | {told(*READ)} |" in written
    assert f"| operator | those, and {told(*OPERATE)} |" in written
    assert f"| approver | those of a reader, and {told(*APPROVE)} |" in written
    emergency = f"those of a reader, and {told(*EMERGENCY)}; with the glass broken {told(*BREAK_GLASS)}"
    assert f"| emergency | {emergency} |" in written


def test_a_deployment_changes_no_policy_for_people(stacks: dict[str, Stack]) -> None:
    for name in REAL:
        assert not [one for one in stacks[name].resources if one.type == POLICY]
