"""IAM: roles, their inline policies, and the OpenID Connect provider that a pipeline logs in through."""

from __future__ import annotations

from typing import Any

from sandbox.handlers import aws_calls as aws
from sandbox.handlers.contract import Properties
from sandbox.handlers.upsert import Upsert

_EXISTS = frozenset({"EntityAlreadyExists"})
# IAM's own default, an hour
_SESSION_S = 3600


class Role(Upsert):
    """`aws:iam/role:Role`; the id is the name."""

    serves = frozenset({"name", "assumeRolePolicy", "description", "maxSessionDuration", "tags"})
    replace_on = frozenset({"name"})
    computed = frozenset({"arn", "uniqueId"})
    named_by = "name"

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """Make the role, or change who may take it and for how long."""
        iam, name = self._clients.of("iam"), str(wished["name"])
        facts = {
            "Description": wished.get("description", ""),
            "MaxSessionDuration": wished.get("maxSessionDuration", _SESSION_S),
        }
        trust = wished["assumeRolePolicy"]
        if aws.made(_EXISTS, iam.create_role, RoleName=name, AssumeRolePolicyDocument=trust, **facts) is None:
            iam.update_role(RoleName=name, **facts)
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
        aws.settle(
            wished.get("tags", {}),
            self._tags(name),
            lambda tags: iam.tag_role(RoleName=name, Tags=aws.listed(tags)),
            lambda keys: iam.untag_role(RoleName=name, TagKeys=keys),
        )
        return name

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """The role as IAM has it."""
        answer = aws.found(self._clients.of("iam").get_role, RoleName=id_)
        if answer is None:
            return None
        role = answer["Role"]
        return {
            "arn": role["Arn"],
            "name": role["RoleName"],
            "uniqueId": role["RoleId"],
            "description": role.get("Description", ""),
            "maxSessionDuration": role.get("MaxSessionDuration", _SESSION_S),
            "assumeRolePolicy": aws.document(role["AssumeRolePolicyDocument"], wished.get("assumeRolePolicy")),
            "tags": self._tags(id_),
        }

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Delete the role, and inline policies that an interrupted run made and did not record."""
        iam = self._clients.of("iam")
        left = aws.found(iam.list_role_policies, RoleName=id_)
        if left is None:
            return
        for policy in left["PolicyNames"]:
            aws.found(iam.delete_role_policy, RoleName=id_, PolicyName=policy)
        aws.found(iam.delete_role, RoleName=id_)

    def _tags(self, name: str) -> dict[str, str]:
        return aws.unlisted(self._clients.of("iam").list_role_tags(RoleName=name)["Tags"])


class RolePolicy(Upsert):
    """`aws:iam/rolePolicy:RolePolicy`, an inline policy; the id is `role:name`."""

    serves = frozenset({"name", "role", "policy"})
    replace_on = frozenset({"name", "role"})
    named_by = "name"

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """The whole document."""
        role, name = wished["role"], wished["name"]
        self._clients.of("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=wished["policy"])
        return f"{role}:{name}"

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """The whole document."""
        role, _, name = id_.partition(":")
        answer = aws.found(self._clients.of("iam").get_role_policy, RoleName=role, PolicyName=name)
        if answer is None:
            return None
        policy = aws.document(answer["PolicyDocument"], wished.get("policy"))
        return {"role": role, "name": name, "policy": policy}

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Take it from the role; a role that is gone took it along."""
        role, _, name = id_.partition(":")
        aws.found(self._clients.of("iam").delete_role_policy, RoleName=role, PolicyName=name)


class OpenIdConnectProvider(Upsert):
    """`aws:iam/openIdConnectProvider:OpenIdConnectProvider`; the id is the ARN, which follows from the address.

    Tags are refused, because the emulator has none here.
    """

    serves = frozenset({"url", "clientIdLists", "thumbprintLists"})
    replace_on = frozenset({"url"})
    computed = frozenset({"arn"})

    def __init__(self, clients: aws.AwsClients, account: str) -> None:
        self._clients = clients
        self._account = account

    def put(self, wished: Properties, /) -> str:
        """Make the provider; one that accepts something else is made again, since the emulator cannot change it."""
        iam, url = self._clients.of("iam"), wished["url"]
        arn = f"arn:aws:iam::{self._account}:oidc-provider/{_without_scheme(url)}"
        audiences, prints = list(wished["clientIdLists"]), list(wished.get("thumbprintLists", []))
        live = self._get(arn)
        if live is not None and (live["ClientIDList"] != audiences or (prints and live["ThumbprintList"] != prints)):
            iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
        new = {"Url": url, "ClientIDList": audiences, **({"ThumbprintList": prints} if prints else {})}
        aws.made(_EXISTS, iam.create_open_id_connect_provider, **new)
        return arn

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """Address, audiences and certificates; the address in the program's spelling."""
        live = self._get(id_)
        if live is None:
            return None
        given = str(wished.get("url", ""))
        url = given if _without_scheme(given) == _without_scheme(live["Url"]) else live["Url"]
        prints = live.get("ThumbprintList", [])
        audiences = live["ClientIDList"]
        return {"arn": id_, "url": url, "clientIdLists": audiences, "thumbprintLists": prints}

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Delete the provider."""
        aws.found(self._clients.of("iam").delete_open_id_connect_provider, OpenIDConnectProviderArn=id_)

    def _get(self, arn: str) -> dict[str, Any] | None:
        return aws.found(self._clients.of("iam").get_open_id_connect_provider, OpenIDConnectProviderArn=arn)


def _without_scheme(url: str) -> str:
    return url.removeprefix("https://")
