"""A recorded stack, and the questions tests ask of it: plain dictionaries, no provider."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

with warnings.catch_warnings():
    # the SDK's modules warn, when they are first used, about deprecated resources of their own
    warnings.simplefilter("ignore", DeprecationWarning)
    import pulumi_aws
    import pulumi_gcp
    import pulumi_vault

    # `hasattr`, because the SDK loads a module when something of it is first asked for
    for _sdk, _modules in (
        (
            pulumi_aws,
            "apigatewayv2 cloudwatch codedeploy dynamodb iam kms lambda_ s3 scheduler secretsmanager sfn sns sqs",
        ),
        (pulumi_gcp, "iam projects secretmanager serviceaccount"),
        (pulumi_vault, "jwt kv"),
    ):
        for _module in _modules.split():
            hasattr(getattr(_sdk, _module), "loaded")

from bootstrap.program import declare as declare_bootstrap
from infra.config import PROJECT, ROOT
from infra.recording import Recorded, record

STACKS = ("local", "staging", "prod")
# Stacks with an account, which `bootstrap/` prepares.
REAL = ("staging", "prod")


class Stack:
    """One recorded stack with the questions tests ask of it, of the main program or of the bootstrap."""

    def __init__(self, name: str, project: str = PROJECT) -> None:
        self.name = name
        bootstrapping = (None, declare_bootstrap, ROOT / "bootstrap", project)
        self.resources = record(name) if project == PROJECT else record(name, *bootstrapping)

    def of(self, type_: str) -> list[Recorded]:
        """Resources of a type; a type that nobody declares is a mistake of the test."""
        found = [resource for resource in self.resources if resource.type == type_]
        assert found, f"{self.name} declares no {type_}"
        return found

    def one(self, type_: str, name: str) -> Recorded:
        (found,) = [resource for resource in self.of(type_) if resource.name == name]
        return found

    def statements(self) -> Iterator[tuple[Recorded, Mapping[str, Any]]]:
        """Every statement of every IAM document, wherever it stands."""
        for resource in self.resources:
            for text in resource.inputs.values():
                if isinstance(text, str) and text.startswith('{"Version"'):
                    for statement in json.loads(text)["Statement"]:
                        yield resource, statement
