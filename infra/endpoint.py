"""How people reach control: an HTTP API with one IAM-authenticated route per verb, in front of the alias `live`.

IAM says who asks, before the function runs, and each route is a resource of its own that a role can be given alone.
Access logs say who asked what and how it ended; a body never gets there. Not here: who may call a route
(`bootstrap.people_grants`), because a deployment must not be able to widen what people may do.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.function import RotationFunction
from infra.names import ENDPOINT, Names
from rotation.routes import ROUTES

# The longest an HTTP API waits for an integration is 30 s (API Gateway quotas): a verb that is not answered by then
# has an unknown end, and the caller is told so.
ANSWER_TIMEOUT_MS = 29_000
# People and one command: a status of every secret every second, with room for a night of many hands.
REQUESTS_PER_S = 20
REQUESTS_AT_ONCE = 40
# The stage that needs no name in the path; API Gateway's own word.
STAGE = "$default"
# Who, what, how it ended; none of them holds anything that the caller wrote (HTTP API access log variables).
_LOGGED = (
    *("requestId", "requestTime", "identity.sourceIp", "identity.caller", "identity.userArn"),
    *("routeKey", "status", "responseLatency", "integrationErrorMessage"),
)


@dataclass(frozen=True, kw_only=True)
class EndpointArgs:
    """`function`: control."""

    names: Names
    function: RotationFunction
    data_key_arn: Any


class Endpoint(pulumi.ComponentResource):
    """API, routes, stage, permission. Output: `url`."""

    def __init__(self, name: str, args: EndpointArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:infra:Endpoint", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._full = args.names.of(ENDPOINT)
        # the command finds it by this name (`keyturn.endpoint`)
        self._api = aws.apigatewayv2.Api(
            self._full,
            name=self._full,
            protocol_type="HTTP",
            description="Keyturn's verbs, for people who IAM knows",
            opts=self._child,
        )
        permission = self._permission(args)
        integration = self._integration(args)
        for key in sorted(ROUTES):
            self._route(key, integration, permission)
        self._stage(args)
        self.url = self._api.api_endpoint
        self.register_outputs({"url": self.url})

    def _permission(self, args: EndpointArgs) -> aws.lambda_.Permission:
        return aws.lambda_.Permission(
            self._full,
            statement_id="EndpointAsks",
            action="lambda:InvokeFunction",
            function=args.function.function.name,
            qualifier=args.function.alias.name,
            principal="apigateway.amazonaws.com",
            source_arn=pulumi.Output.concat(self._api.execution_arn, f"/{STAGE}/POST/verbs/*"),
            opts=self._child,
        )

    def _integration(self, args: EndpointArgs) -> aws.apigatewayv2.Integration:
        return aws.apigatewayv2.Integration(
            self._full,
            api_id=self._api.id,
            integration_type="AWS_PROXY",
            integration_uri=args.function.alias.arn,
            payload_format_version="2.0",
            timeout_milliseconds=ANSWER_TIMEOUT_MS,
            opts=self._child,
        )

    def _route(self, key: str, integration: aws.apigatewayv2.Integration, permission: aws.lambda_.Permission) -> None:
        path = key.partition(" ")[2].removeprefix("/verbs/").replace("/", "-")
        aws.apigatewayv2.Route(
            f"{self._full}-{path}",
            api_id=self._api.id,
            route_key=key,
            authorization_type="AWS_IAM",
            target=pulumi.Output.concat("integrations/", integration.id),
            # a route that may not invoke would answer 500
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission]),
        )

    def _stage(self, args: EndpointArgs) -> aws.apigatewayv2.Stage:
        group = aws.cloudwatch.LogGroup(
            self._full,
            # the prefix that the delivery of logs asks for, so that its resource policy does not outgrow its limit
            name=f"/aws/vendedlogs/apis/{self._full}",
            retention_in_days=args.names.settings.log_retention_days,
            kms_key_id=args.data_key_arn,
            opts=self._child,
        )
        line = json.dumps({variable: f"$context.{variable}" for variable in _LOGGED})
        return aws.apigatewayv2.Stage(
            self._full,
            api_id=self._api.id,
            name=STAGE,
            auto_deploy=True,
            access_log_settings={"destination_arn": group.arn, "format": line},
            default_route_settings={
                "throttling_burst_limit": REQUESTS_AT_ONCE,
                "throttling_rate_limit": REQUESTS_PER_S,
            },
            opts=self._child,
        )
