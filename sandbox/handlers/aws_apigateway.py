"""API Gateway's HTTP APIs: the API, its integrations, routes and stages.

API Gateway makes up every id, so that what an interrupted run left is found by what it is for: an API by its name, an
integration by what it leads to, a route by its key. The emulator stores throttling and access logs and does neither;
nor does it look at the function's permission. Deliberately not here: authorizers, domain names, CORS, deployments,
and tags below an API.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.handlers import aws_calls as aws
from sandbox.handlers.contract import Properties
from sandbox.handlers.upsert import Upsert

_SERVICE = "apigatewayv2"
# where the provider's word differs from the service's
_NAMES = {"timeoutMilliseconds": "TimeoutInMillis"}
# far above what one stack declares; one page is all that is asked for
_PAGE = "500"


class Api(Upsert):
    """`aws:apigatewayv2/api:Api`; the id is API Gateway's."""

    serves = frozenset({"name", "protocolType", "description", "tags"})
    replace_on = frozenset({"protocolType"})
    computed = frozenset({"apiEndpoint", "arn", "executionArn"})
    named_by = "name"

    def __init__(self, clients: aws.AwsClients, region: str, account: str) -> None:
        self._clients = clients
        self._region = region
        self._execution = f"arn:aws:execute-api:{region}:{account}:"

    def put(self, wished: Properties, /) -> str:
        """Make the API, or change the one of that name."""
        gateway = self._clients.of(_SERVICE)
        facts = {"Name": wished["name"], "Description": wished.get("description", "")}
        live = _found(gateway.get_apis(MaxResults=_PAGE), {"Name": wished["name"]})
        if live is None:
            made = gateway.create_api(**facts, ProtocolType=wished["protocolType"], Tags=wished.get("tags", {}))
            return str(made["ApiId"])
        id_ = str(live["ApiId"])
        gateway.update_api(ApiId=id_, **facts)
        aws.settle(
            wished.get("tags", {}),
            self._tags(id_),
            lambda tags: gateway.tag_resource(ResourceArn=self._arn(id_), Tags=tags),
            lambda keys: gateway.untag_resource(ResourceArn=self._arn(id_), TagKeys=keys),
        )
        return id_

    def look(self, id_: str, _wished: Properties, /) -> Properties | None:
        """The API with its addresses."""
        live = aws.found(self._clients.of(_SERVICE).get_api, ApiId=id_)
        return live and {
            "apiEndpoint": live["ApiEndpoint"],
            "arn": self._arn(id_),
            "description": live.get("Description", ""),
            "executionArn": f"{self._execution}{id_}",
            "name": live["Name"],
            "protocolType": live["ProtocolType"],
            "tags": self._tags(id_),
        }

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Delete the API, and with it everything below."""
        aws.found(self._clients.of(_SERVICE).delete_api, ApiId=id_)

    def _arn(self, id_: str) -> str:
        return f"arn:aws:apigateway:{self._region}::/apis/{id_}"

    def _tags(self, id_: str) -> dict[str, str]:
        # GetApi answers with the tags it was made with: in the emulator later changes are in the list of tags only
        found: dict[str, str] = self._clients.of(_SERVICE).get_tags(ResourceArn=self._arn(id_))["Tags"]
        return found


class Integration(Upsert):
    """`aws:apigatewayv2/integration:Integration`; the id is API Gateway's, unique below its API."""

    serves = frozenset({"apiId", "integrationType", "integrationUri", "payloadFormatVersion", "timeoutMilliseconds"})
    replace_on = frozenset({"apiId"})

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """Make the integration, or change the one that leads to the same place."""
        gateway, api = self._clients.of(_SERVICE), {"ApiId": wished["apiId"]}
        facts = _facts(wished)
        same = {"IntegrationUri": wished["integrationUri"]}
        live = _found(gateway.get_integrations(**api, MaxResults=_PAGE), same)
        if live is None:
            return str(gateway.create_integration(**api, **facts)["IntegrationId"])
        gateway.update_integration(**api, IntegrationId=live["IntegrationId"], **facts)
        return str(live["IntegrationId"])

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """The integration as the service has it."""
        gateway = self._clients.of(_SERVICE)
        live = aws.found(gateway.get_integration, ApiId=wished["apiId"], IntegrationId=id_)
        return live and _read(live, self.serves)

    def remove(self, id_: str, outputs: Properties, /) -> None:
        """Delete it; an API that is gone took it along."""
        aws.found(self._clients.of(_SERVICE).delete_integration, ApiId=outputs["apiId"], IntegrationId=id_)


class Route(Upsert):
    """`aws:apigatewayv2/route:Route`; the id is API Gateway's, unique below its API."""

    serves = frozenset({"apiId", "routeKey", "authorizationType", "target"})
    replace_on = frozenset({"apiId", "routeKey"})

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """Make the route, or change the one of that key."""
        gateway, api = self._clients.of(_SERVICE), {"ApiId": wished["apiId"]}
        facts = _facts(wished)
        live = _found(gateway.get_routes(**api, MaxResults=_PAGE), {"RouteKey": wished["routeKey"]})
        if live is None:
            return str(gateway.create_route(**api, **facts)["RouteId"])
        gateway.update_route(**api, RouteId=live["RouteId"], **facts)
        return str(live["RouteId"])

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """The route as the service has it."""
        live = aws.found(self._clients.of(_SERVICE).get_route, ApiId=wished["apiId"], RouteId=id_)
        return live and _read(live, self.serves)

    def remove(self, id_: str, outputs: Properties, /) -> None:
        """Delete it; an API that is gone took it along."""
        aws.found(self._clients.of(_SERVICE).delete_route, ApiId=outputs["apiId"], RouteId=id_)


class Stage(Upsert):
    """`aws:apigatewayv2/stage:Stage`; the id is the name."""

    serves = frozenset({"apiId", "name", "autoDeploy", "accessLogSettings", "defaultRouteSettings"})
    replace_on = frozenset({"apiId", "name"})
    named_by = "name"

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """Make the stage, or set everything of the one that is there."""
        gateway, name = self._clients.of(_SERVICE), str(wished["name"])
        where = {"ApiId": wished["apiId"], "StageName": name}
        facts = aws.pascal({key: wished[key] for key in self.serves - {"apiId", "name"} if key in wished})
        if aws.found(gateway.get_stage, **where) is None:
            gateway.create_stage(**where, **facts)
        else:
            gateway.update_stage(**where, **facts)
        return name

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """The stage as the service has it."""
        live = aws.found(self._clients.of(_SERVICE).get_stage, ApiId=wished["apiId"], StageName=id_)
        return live and {**_read(live, self.serves), "name": id_}

    def remove(self, id_: str, outputs: Properties, /) -> None:
        """Delete it; an API that is gone took it along."""
        aws.found(self._clients.of(_SERVICE).delete_stage, ApiId=outputs["apiId"], StageName=id_)


def _found(listed: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """The one item of a list with these facts."""
    items = [item for item in listed["Items"] if facts.items() <= item.items()]
    return items[0] if items else None


def _facts(wished: Properties) -> dict[str, Any]:
    facts: dict[str, Any] = aws.pascal({key: value for key, value in wished.items() if key != "apiId"}, _NAMES)
    # numbers cross the wire as floats
    return {key: int(value) if isinstance(value, float) else value for key, value in facts.items()}


def _read(live: Mapping[str, Any], serves: frozenset[str]) -> Properties:
    read: Properties = aws.camel({key: value for key, value in live.items() if key != "ResponseMetadata"}, _NAMES)
    return {key: value for key, value in read.items() if key in serves}
