"""Environment and credentials have to belong together; production credentials are for CI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Never

import pytest
from command_bench import Command

from keyturn import identity
from keyturn.identity import Caller
from rotation.errors import Denied

SignIn = Callable[[str], None]

STAGING, PROD, OTHER = "111111111111", "222222222222", "999999999999"


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> SignIn:
    """Credentials of one account, outside CI unless the test says otherwise."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("KEYTURN_PRODUCTION_FROM_HERE", raising=False)

    def to(account: str) -> None:
        arn = f"arn:aws:iam::{account}:user/somebody"
        monkeypatch.setattr(identity, "caller", lambda _stack: Caller(account=account, arn=arn))

    return to


def test_credentials_of_the_stacks_account_pass(command: Command, signed_in: SignIn) -> None:
    signed_in(STAGING)
    ended = command("validate-env", "--stack", "staging")
    assert ended.code == 0
    assert f"the credentials are of {STAGING}, the account of staging" in ended.out


def test_credentials_of_another_account_are_refused(command: Command, signed_in: SignIn) -> None:
    signed_in(OTHER)
    ended = command("validate-env", "--stack", "staging")
    assert ended.code == 16
    assert f"the credentials are of account {OTHER}, the stack staging is in {STAGING}" in ended.out


def test_production_credentials_on_a_desk_are_refused(command: Command, signed_in: SignIn) -> None:
    signed_in(PROD)
    ended = command("validate-env", "--stack", "prod")
    assert ended.code == 16
    assert "production credentials on a machine that is not CI" in ended.out


def test_production_credentials_are_noticed_also_when_another_stack_is_meant(
    command: Command, signed_in: SignIn
) -> None:
    signed_in(PROD)
    failing = [
        c for c in command("validate-env", "--stack", "staging", "--json").document["checks"] if c["verdict"] == "fail"
    ]
    assert [check["name"] for check in failing] == ["account", "where"]


def test_production_credentials_pass_in_ci(
    command: Command, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(PROD)
    monkeypatch.setenv("CI", "true")
    assert command("validate-env", "--stack", "prod").code == 0


def test_who_has_to_use_production_from_a_desk_says_why_and_it_is_shown(
    command: Command, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(PROD)
    monkeypatch.setenv("KEYTURN_PRODUCTION_FROM_HERE", "the pipeline is down")
    ended = command("validate-env", "--stack", "prod")
    assert ended.code == 0
    assert "production credentials outside CI, because: the pipeline is down" in ended.out


def test_local_reaches_no_account(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(_stack: object) -> None:
        pytest.fail("asked AWS who we are")

    monkeypatch.setattr(identity, "caller", ask)
    assert command("validate-env").code == 0


def test_without_credentials_the_message_says_so(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_stack: object) -> Never:
        raise Denied("no_credentials", "no AWS credentials were found", "sign in")

    monkeypatch.setattr(identity, "caller", refuse)
    ended = command("validate-env", "--stack", "staging")
    assert ended.code == 7
    assert "no AWS credentials were found" in ended.err
