"""Configuration is read once, and everything wrong with it is said at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.config import settings
from infra.recording import record
from infra.stack_file import stack_config
from rotation.errors import Refused


def configured(stack: str, **changes: str) -> dict[str, str]:
    return {key.removeprefix("keyturn:"): value for key, value in stack_config(stack).items()} | changes


def test_an_unknown_key_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(Refused, match=r"`keyturn:postgresHots` is not a key.*did you mean `keyturn:postgresHost`"):
        settings("prod", configured("prod", postgresHots="db"))


def test_the_program_refuses_an_unknown_key_before_it_declares_anything() -> None:
    with pytest.raises(Refused, match="keyturn:wharever"):
        record("prod", {"keyturn:wharever": "1"})


def test_a_missing_key_is_named_with_the_file_to_add_it_to() -> None:
    with pytest.raises(Refused, match=r"`keyturn:verifierUrl` is missing: add it to Pulumi\.prod\.yaml"):
        record("prod", {"keyturn:verifierUrl": None})


def test_all_bad_values_are_named_in_one_error() -> None:
    bad = configured(
        "prod", awsAccount="12", postgresPort="0", vaultAddress="vault", logRetentionDays="31", subnetIds="no"
    )
    with pytest.raises(Refused) as caught:
        settings("prod", bad)
    assert caught.value.reason == "bad_configuration"
    for name in ("awsAccount", "postgresPort", "vaultAddress", "logRetentionDays", "subnetIds"):
        assert f"`keyturn:{name}` has to be" in caught.value.message


@pytest.mark.parametrize(
    "value", ["https://user:pw@vault.example.com", "https://vault.example.com/?token=x", "ftp://x"]
)
def test_an_address_that_could_carry_a_credential_is_refused_without_repeating_it(value: str) -> None:
    with pytest.raises(Refused) as caught:
        settings("prod", configured("prod", vaultAddress=value))
    assert value not in caught.value.message


def test_an_environment_that_is_not_the_stack_is_refused() -> None:
    with pytest.raises(Refused, match="environment` says prod, the stack is staging"):
        settings("staging", configured("prod"))


def test_the_sandboxs_keys_are_refused_on_a_real_stack() -> None:
    with pytest.raises(Refused, match="`keyturn:awsEndpoint` belongs to the stack local only"):
        settings("prod", configured("prod", awsEndpoint="http://127.0.0.1:4566"))
    with pytest.raises(Refused, match="`keyturn:sandboxFacts` belongs to the stack local only"):
        settings("prod", configured("prod", sandboxFacts=".sandbox/facts.json"))


def test_an_address_without_tls_is_refused_on_a_real_stack() -> None:
    with pytest.raises(Refused, match="`keyturn:vaultAddress` has to be an https address outside the sandbox"):
        settings("prod", configured("prod", vaultAddress="http://vault.example.com"))


def test_subnets_without_security_groups_are_refused() -> None:
    with pytest.raises(Refused, match="go together"):
        settings("prod", configured("prod", securityGroupIds="[]"))


def test_a_running_sandbox_gives_its_addresses_and_placeholders_hold_without_one(tmp_path: Path) -> None:
    still = settings("local", configured("local"), tmp_path)
    assert still.postgres_port == 5432
    facts = {
        "aws_endpoint": "http://127.0.0.1:40001",
        "postgres_port": 40002,
        "vault_address": "http://127.0.0.1:40003",
    }
    (tmp_path / ".sandbox").mkdir()
    (tmp_path / ".sandbox" / "facts.json").write_text(json.dumps(facts))
    running = settings("local", configured("local"), tmp_path)
    assert (running.aws_endpoint, running.postgres_port) == ("http://127.0.0.1:40001", 40002)
    assert running.facts["postgresPort"] == "40002"
    assert running.token_service_url == still.token_service_url


def test_a_damaged_facts_file_is_named_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "facts.json").write_text("{")
    with pytest.raises(Refused, match="keyturn sandbox down"):
        settings("local", configured("local", sandboxFacts="facts.json"), tmp_path)
