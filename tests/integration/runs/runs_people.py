"""People who IAM knows: users and a role's session with the policies that the bootstrap writes, and what they send.

Requests are built here and not by the command, so that they can be what the command never sends: unsigned, tampered
with, or with fields that name somebody else.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from runs_stack import PREFIX, Stack

from bootstrap.people_grants import people
from infra.config import settings
from infra.documents import document
from infra.names import Names
from infra.stack_file import stack_config

# Far above what the gateway takes to answer a verb.
TIMEOUT_S = 60
ACCOUNT = "arn:aws:iam::000000000000"


@dataclass(frozen=True)
class Said:
    """What the endpoint answered."""

    status: int
    document: Any


class Gateway:
    """The stack's HTTP API, as something to send requests to."""

    def __init__(self, stack: Stack) -> None:
        apis = stack.aws("apigatewayv2").get_apis()["Items"]
        (url,) = [api["ApiEndpoint"] for api in apis if api["Name"] == f"{PREFIX}-endpoint"]
        self._host = urlsplit(url).netloc
        self._server = urlsplit(stack.facts.aws_endpoint).netloc
        self._region = stack.facts.aws_region

    def send(self, path: str, body: object, headers: Mapping[str, str]) -> Said:
        """One request as it is."""
        connection = http.client.HTTPConnection(self._server, timeout=TIMEOUT_S)
        try:
            connection.request("POST", path, json.dumps(body), {"Host": self._host, **headers})
            answer = connection.getresponse()
            return Said(answer.status, json.loads(answer.read()))
        finally:
            connection.close()

    def signed(self, who: Credentials, path: str, body: object) -> dict[str, str]:
        """The headers of a signed request."""
        request = AWSRequest("POST", f"http://{self._host}{path}", data=json.dumps(body).encode())
        request.headers["Host"] = self._host
        SigV4Auth(who, "execute-api", self._region).add_auth(request)
        return dict(request.headers.items())

    def ask(self, who: Credentials, path: str, /, **body: Any) -> Said:
        """One signed request."""
        return self.send(path, body, {"Content-Type": "application/json", **self.signed(who, path, body)})


def user(stack: Stack, name: str, policy: str = "") -> Credentials:
    """An IAM user with a key, and with one of the bootstrap's policies."""
    iam = stack.aws("iam")
    iam.create_user(UserName=name)
    if policy:
        iam.put_user_policy(UserName=name, PolicyName=policy, PolicyDocument=written(stack, policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def session(stack: Stack, role: str, name: str, policy: str) -> Credentials:
    """A session of a new role under a name."""
    iam = stack.aws("iam")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"{ACCOUNT}:root"}}
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(document([trust])))
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=written(stack, policy))
    return another(stack, role, name)


def another(stack: Stack, role: str, name: str) -> Credentials:
    """A session of a role that is there, under a name."""
    arn = stack.aws("iam").get_role(RoleName=role)["Role"]["Arn"]
    found = stack.aws("sts").assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]
    return Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])


def written(stack: Stack, policy: str) -> str:
    """The policy's document, for this stack's names."""
    facts = {key.removeprefix("keyturn:"): value for key, value in stack_config("local").items()}
    facts |= {"awsAccount": stack.facts.aws_account_id, "region": stack.facts.aws_region}
    facts.pop("sandboxFacts")
    return json.dumps(document(people(Names(settings("local", facts)))[policy]))
