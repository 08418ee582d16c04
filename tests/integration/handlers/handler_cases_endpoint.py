"""Cases of the endpoint: an HTTP API and what lies below it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from handler_cases import Case, case
from handler_world import World

GATEWAY = "apigatewayv2"


def _api(world: World) -> str:
    return str(world.make("aws:apigatewayv2/api:Api", protocolType="HTTP")["id"])


@case("aws:apigatewayv2/api:Api")
def api(world: World, _: Path) -> Case:
    def seen(id_: str) -> Any:
        found = world.aws(GATEWAY).get_api(ApiId=id_)
        tags = world.aws(GATEWAY).get_tags(ResourceArn=f"arn:aws:apigateway:us-east-1::/apis/{id_}")["Tags"]
        return found["ProtocolType"], found["Description"], tags

    return Case(
        before={"protocolType": "HTTP", "description": "one", "tags": {"a": "1"}},
        after={"protocolType": "HTTP", "description": "two", "tags": {"b": "2"}},
        seen=seen,
        was=("HTTP", "one", {"a": "1"}),
        becomes=("HTTP", "two", {"b": "2"}),
    )


@case("aws:apigatewayv2/integration:Integration")
def integration(world: World, folder: Path) -> Case:
    id_of_api = _api(world)
    uri = world.function(folder)["arn"]
    inputs = {"apiId": id_of_api, "integrationType": "AWS_PROXY", "integrationUri": uri, "payloadFormatVersion": "2.0"}

    def seen(id_: str) -> Any:
        found = world.aws(GATEWAY).get_integration(ApiId=id_of_api, IntegrationId=id_)
        return found["IntegrationUri"] == uri, found["TimeoutInMillis"]

    return Case(
        before={**inputs, "timeoutMilliseconds": 5_000},
        after={**inputs, "timeoutMilliseconds": 29_000},
        seen=seen,
        was=(True, 5_000),
        becomes=(True, 29_000),
    )


@case("aws:apigatewayv2/route:Route")
def route(world: World, _: Path) -> Case:
    id_of_api = _api(world)
    inputs = {"apiId": id_of_api, "routeKey": "POST /verbs/one"}

    def seen(id_: str) -> Any:
        found = world.aws(GATEWAY).get_route(ApiId=id_of_api, RouteId=id_)
        return found["RouteKey"], found["AuthorizationType"], found["Target"]

    return Case(
        before={**inputs, "authorizationType": "NONE", "target": "integrations/a"},
        after={**inputs, "authorizationType": "AWS_IAM", "target": "integrations/b"},
        seen=seen,
        was=("POST /verbs/one", "NONE", "integrations/a"),
        becomes=("POST /verbs/one", "AWS_IAM", "integrations/b"),
    )


@case("aws:apigatewayv2/stage:Stage")
def stage(world: World, _: Path) -> Case:
    id_of_api = _api(world)
    inputs = {"apiId": id_of_api, "name": "$default", "autoDeploy": True}
    logs = {"destinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:any", "format": "$context.requestId"}

    def seen(id_: str) -> Any:
        found = world.aws(GATEWAY).get_stage(ApiId=id_of_api, StageName=id_)
        throttling = found["DefaultRouteSettings"]
        return found["AutoDeploy"], throttling["ThrottlingBurstLimit"], "AccessLogSettings" in found

    return Case(
        before={**inputs, "defaultRouteSettings": {"throttlingBurstLimit": 2, "throttlingRateLimit": 1.0}},
        after={
            **inputs,
            "defaultRouteSettings": {"throttlingBurstLimit": 4, "throttlingRateLimit": 1.0},
            "accessLogSettings": logs,
        },
        seen=seen,
        was=(True, 2, False),
        becomes=(True, 4, True),
    )
