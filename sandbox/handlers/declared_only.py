"""Types that no part of the sandbox can emulate: their inputs are recorded, nothing is made, and the command says so.

Ids and computed outputs have the form of the real ones and follow from the inputs, so that what the program derives
from them is well-formed and stays the same from run to run. `DECLARED_ONLY` is the list that is said out loud.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from types import MappingProxyType

from sandbox.facts import Facts
from sandbox.handlers.contract import Handler, Properties

_CODEDEPLOY = "the AWS emulator has no CodeDeploy"
_GITHUB = "the sandbox has no GitHub"
_IDENTITY = "the Google server of the sandbox is Secret Manager alone, without identities"

_APPLICATION = "aws:codedeploy/application:Application"
_GROUP = "aws:codedeploy/deploymentGroup:DeploymentGroup"
_CUSTOM_ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"
_ACCOUNT = "gcp:serviceaccount/account:Account"
_ACCOUNT_MEMBER = "gcp:serviceaccount/iAMMember:IAMMember"
_POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
_POOL_PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
_ENVIRONMENT = "github:index/repositoryEnvironment:RepositoryEnvironment"
_VARIABLE = "github:index/actionsEnvironmentVariable:ActionsEnvironmentVariable"

# type token -> why nothing is made of it
DECLARED_ONLY: Mapping[str, str] = MappingProxyType(
    {
        _APPLICATION: _CODEDEPLOY,
        _GROUP: _CODEDEPLOY,
        _CUSTOM_ROLE: _IDENTITY,
        _ACCOUNT: _IDENTITY,
        _ACCOUNT_MEMBER: _IDENTITY,
        _POOL: _IDENTITY,
        _POOL_PROVIDER: _IDENTITY,
        _ENVIRONMENT: _GITHUB,
        _VARIABLE: _GITHUB,
    }
)
# digits of a service account's number
_ACCOUNT_DIGITS = 21

_Made = tuple[str, Properties]
_Form = Callable[[Properties, Facts], _Made]


class NullResource:
    """A type of which nothing is made: `form` gives id and computed outputs for the inputs."""

    def __init__(self, form: _Form, facts: Facts, replace_on: frozenset[str], computed: frozenset[str]) -> None:
        self._form = form
        self._facts = facts
        self.replace_on = replace_on
        self.computed = computed

    def create(self, _name: str, inputs: Properties, /) -> _Made:
        """The inputs, with what the cloud would add."""
        id_, made = self._form(inputs, self._facts)
        return id_, {**inputs, **made}

    def read(self, _id: str, inputs: Properties, /) -> Properties | None:
        """The same again: what was recorded is all there is."""
        return self.create("", inputs)[1]

    def update(self, _id: str, _old_outputs: Properties, inputs: Properties, /) -> Properties:
        """The new inputs."""
        return self.create("", inputs)[1]

    def delete(self, id_: str, outputs: Properties, /) -> None:
        """Nothing to remove."""


def _number(*parts: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, "/".join(("keyturn", *parts)))


def _project(inputs: Properties, facts: Facts) -> str:
    return str(inputs.get("project") or facts.google_project)


def _codedeploy_arn(facts: Facts, what: str) -> str:
    return f"arn:aws:codedeploy:{facts.aws_region}:{facts.aws_account_id}:{what}"


def _application(inputs: Properties, facts: Facts) -> _Made:
    number, name = str(_number("application", inputs["name"])), inputs["name"]
    arn = _codedeploy_arn(facts, f"application:{name}")
    return f"{number}:{name}", {"applicationId": number, "arn": arn, "linkedToGithub": False}


def _group(inputs: Properties, facts: Facts) -> _Made:
    application, name = inputs["appName"], inputs["deploymentGroupName"]
    number = str(_number("group", application, name))
    arn = _codedeploy_arn(facts, f"deploymentgroup:{application}/{name}")
    return number, {"deploymentGroupId": number, "arn": arn, "computePlatform": "Lambda"}


def _custom_role(inputs: Properties, facts: Facts) -> _Made:
    name = f"projects/{_project(inputs, facts)}/roles/{inputs['roleId']}"
    return name, {"name": name, "deleted": False}


def _account(inputs: Properties, facts: Facts) -> _Made:
    project = _project(inputs, facts)
    email = f"{inputs['accountId']}@{project}.iam.gserviceaccount.com"
    name = f"projects/{project}/serviceAccounts/{email}"
    unique = str(_number(name).int)[:_ACCOUNT_DIGITS]
    return name, {"name": name, "email": email, "member": f"serviceAccount:{email}", "uniqueId": unique}


def _account_member(inputs: Properties, _facts: Facts) -> _Made:
    parts = (inputs["serviceAccountId"], inputs["role"], inputs["member"])
    return "/".join(parts), {"etag": _number(*parts).hex}


def _pool_name(inputs: Properties, facts: Facts) -> str:
    pools = f"projects/{_project(inputs, facts)}/locations/global/workloadIdentityPools"
    return f"{pools}/{inputs['workloadIdentityPoolId']}"


def _pool(inputs: Properties, facts: Facts) -> _Made:
    name = _pool_name(inputs, facts)
    return name, {"name": name, "state": "ACTIVE"}


def _pool_provider(inputs: Properties, facts: Facts) -> _Made:
    name = f"{_pool_name(inputs, facts)}/providers/{inputs['workloadIdentityPoolProviderId']}"
    return name, {"name": name, "state": "ACTIVE"}


def _environment(inputs: Properties, _facts: Facts) -> _Made:
    return f"{inputs['repository']}:{inputs['environment']}", {}


def _variable(inputs: Properties, _facts: Facts) -> _Made:
    return f"{inputs['repository']}:{inputs['environment']}:{inputs['variableName']}", {}


# how each is formed, the inputs that replace, the outputs that a real cloud would make up
_FORMS: dict[str, tuple[_Form, set[str], set[str]]] = {
    _APPLICATION: (_application, {"computePlatform"}, {"arn", "applicationId"}),
    _GROUP: (_group, {"appName"}, {"arn", "deploymentGroupId"}),
    _CUSTOM_ROLE: (_custom_role, {"project", "roleId"}, {"name"}),
    _ACCOUNT: (_account, {"project", "accountId"}, {"name", "email", "member", "uniqueId"}),
    _ACCOUNT_MEMBER: (_account_member, {"serviceAccountId", "role", "member"}, {"etag"}),
    _POOL: (_pool, {"project", "workloadIdentityPoolId"}, {"name", "state"}),
    _POOL_PROVIDER: (
        _pool_provider,
        {"project", "workloadIdentityPoolId", "workloadIdentityPoolProviderId"},
        {"name", "state"},
    ),
    _ENVIRONMENT: (_environment, {"repository", "environment"}, set()),
    _VARIABLE: (_variable, {"repository", "environment", "variableName"}, set()),
}


def declared_only(facts: Facts) -> dict[str, Handler]:
    """A handler for each type of `DECLARED_ONLY`."""
    return {
        token: NullResource(form, facts, frozenset(replacing), frozenset(computed))
        for token, (form, replacing, computed) in _FORMS.items()
    }
