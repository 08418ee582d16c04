"""What IAM would say: whether documents allow an action on a resource, with the conditions that have to hold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from recorded_stacks import Stack

from infra.recording import Recorded
from infra.stand_ins import ACCOUNT_AND_REGION

REGION = "eu-central-1"
Statement = Mapping[str, Any]


def statements(resources: Iterable[Recorded], stack: Stack) -> list[Statement]:
    """The statements of the resources' documents, with the account in the place of the recording's stand-in."""
    texts = [one.inputs["policy"] for one in resources]
    return [one for text in texts for one in json.loads(real(text, stack))["Statement"]]


def real(text: str, stack: Stack) -> str:
    return text.replace(ACCOUNT_AND_REGION, f"{REGION}:{account(stack)}")


def account(stack: Stack) -> str:
    (provider,) = stack.of("pulumi:providers:aws")
    (found,) = json.loads(provider.inputs["allowedAccountIds"])
    assert isinstance(found, str)
    return found


def allowing(documents: Sequence[Statement], action: str, resource: str) -> list[Statement]:
    """The statements that allow `action` on `resource`; a pattern counts as a resource that only its like matches."""
    return [
        one
        for one in documents
        if one["Effect"] == "Allow"
        and action in one["Action"]
        and any(fnmatchcase(resource, pattern) for pattern in one["Resource"])
    ]
