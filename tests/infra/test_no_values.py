"""The program holds no secret value and, outside the sandbox, no static credential."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from recorded_stacks import STACKS, Stack

from infra.config import ROOT

VERSIONS = (
    "SecretVersion",
    "SecretV2",
    "SecretRotation",
    "kv/secret:Secret",
    "ActionsSecret",
    "AccessKey",
    "ServiceAccountKey",
)
VALUE_NAMES = re.compile(
    r"password|secretstring|secretbinary|secretdata|datajson|plaintext|privatekey|(?<!skipchild)token$|accesskey|secretkey",
    re.IGNORECASE,
)
STATIC_CREDENTIAL = re.compile(
    r"AKIA[0-9A-Z]{16}|hvs\.|gh[pousr]_[A-Za-z0-9]{20}|-----BEGIN [A-Z ]*PRIVATE KEY|\"private_key\""
)


def fields(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from fields(item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from fields(item, path)
    elif isinstance(value, str) and value[:1] in ("{", "["):
        yield path, value
        yield from fields(json.loads(value), path)
    else:
        yield path, str(value)


def _is_digest(type_: str, text: str) -> bool:
    """What a policy is sealed with, which Pulumi hides though anybody may read it: the digest of a document."""
    return type_ == "aws:kms/ciphertext:Ciphertext" and text == "<secret>"


def test_no_version_of_a_secret_is_declared(stack: Stack) -> None:
    declared = {resource.type for resource in stack.resources}
    assert not [type_ for type_ in declared if any(type_.endswith(version) for version in VERSIONS)]
    assert {
        "aws:secretsmanager/secret:Secret",
        "gcp:secretmanager/secret:Secret",
        "vault:index/mount:Mount",
    } <= declared


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_no_input_of_a_real_stack_is_named_like_a_value_or_looks_like_a_credential(
    name: str, stacks: dict[str, Stack]
) -> None:
    for resource in stacks[name].resources:
        for path, text in fields(dict(resource.inputs)):
            named = VALUE_NAMES.search(path.rpartition(".")[2])
            assert not named or _is_digest(resource.type, text), f"{resource.urn}{path}"
            assert not STATIC_CREDENTIAL.search(text), f"{resource.urn}{path}"


def test_on_local_only_the_emulators_literal_keys_are_credentials(stacks: dict[str, Stack]) -> None:
    named = {
        f"{resource.type}{path}"
        for resource in stacks["local"].resources
        for path, text in fields(dict(resource.inputs))
        if VALUE_NAMES.search(path.rpartition(".")[2]) and not _is_digest(resource.type, text)
    }
    assert named == {"pulumi:providers:aws.accessKey", "pulumi:providers:aws.secretKey"}


def test_real_stacks_use_no_keys_of_any_provider(stacks: dict[str, Stack]) -> None:
    for name in ("staging", "prod"):
        stack = stacks[name]
        (aws,) = stack.of("pulumi:providers:aws")
        assert "accessKey" not in aws.inputs
        assert json.loads(aws.inputs["allowedAccountIds"]) == [stack_account(name)]
        for provider in ("vault", "gcp", "github"):
            (one,) = stack.of(f"pulumi:providers:{provider}")
            assert not {"token", "credentials", "accessToken"} & set(one.inputs)


def stack_account(name: str) -> str:
    text = (ROOT / f"Pulumi.{name}.yaml").read_text()
    found = re.search(r'awsAccount: "([0-9]{12})"', text)
    assert found
    return found.group(1)


def test_the_configuration_of_every_stack_holds_no_encrypted_or_plain_secret() -> None:
    for name in STACKS:
        text = (ROOT / f"Pulumi.{name}.yaml").read_text()
        assert "secure:" not in text
        assert not STATIC_CREDENTIAL.search(text)
