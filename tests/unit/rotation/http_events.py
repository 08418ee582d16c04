"""Events as API Gateway sends them for an AWS_IAM route of an HTTP API, payload format 2.0.

The shape is the developer guide's ("AWS Lambda proxy integrations for HTTP APIs") with the identity block of
aws-lambda-go's `APIGatewayV2HTTPRequestContextAuthorizerIAMDescription`; the emulator's gateway sends the same fields.
"""

from __future__ import annotations

import json
from typing import Any

from rotation.routes import Route

USER = "arn:aws:iam::111122223333:user/alice"
SESSION = "arn:aws:sts::111122223333:assumed-role/on-call/carol"


def http_event(verb: str, /, *, caller: str = USER, break_glass: bool = False, **fields: Any) -> dict[str, Any]:
    """What control gets when `caller` asks for a verb."""
    route = Route(verb, break_glass=break_glass)
    return {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": route.path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "a1b2c3d4.execute-api.eu-central-1.amazonaws.com"},
        "requestContext": {
            "accountId": "111122223333",
            "apiId": "a1b2c3d4",
            "authorizer": {
                "iam": {
                    "accessKey": "AKIAIOSFODNN7EXAMPLE",
                    "accountId": "111122223333",
                    "callerId": "AIDACKCEVSQ6C2EXAMPLE",
                    "cognitoIdentity": None,
                    "principalOrgId": "o-exampleorgid",
                    "userArn": caller,
                    "userId": "AIDACKCEVSQ6C2EXAMPLE",
                }
            },
            "domainName": "a1b2c3d4.execute-api.eu-central-1.amazonaws.com",
            "http": {"method": "POST", "path": route.path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": route.key,
            "stage": "$default",
            "time": "12/Mar/2026:19:03:58 +0000",
            "timeEpoch": 1773342238000,
        },
        "body": json.dumps(fields),
        "isBase64Encoded": False,
    }
