"""The bootstrap's facts: those of the main program's stack, read from its file, and two of its own.

One place for account, region, prefix and repository, so that a role cannot be made for another stack than the one that
will be deployed. Refused on `local`, which has no account to prepare.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from infra import config
from infra.config import Settings, refuse, unknown_keys, values_of
from infra.config_keys import Key, many, one_of
from infra.stack_file import stack_config
from rotation.errors import Refused

PROJECT = "keyturn-bootstrap"
# Federated sessions (Identity Center) carry no mark of a second factor that IAM could ask for.
_USER = r"arn:aws:iam::[0-9]{12}:user/[\w+=,.@/-]+"
KEYS = (
    Key(name="githubProvider", field="github_provider", read=one_of("declare", "existing")),
    Key(name="approvers", field="approvers", read=many("ARNs of IAM users", _USER)),
)


@dataclass(frozen=True, kw_only=True)
class BootstrapSettings:
    """`stack`: facts of the main program's stack. `approvers`: ARNs of IAM users, at least one.

    `github_provider`: `existing` when the account has GitHub's OpenID Connect provider already (it can have one).
    """

    stack: Settings
    github_provider: str
    approvers: tuple[str, ...]


def load() -> BootstrapSettings:
    """The settings of the running program's stack; Refused `bad_configuration` names every problem."""
    return settings(pulumi.get_stack(), config.configured(PROJECT))


def settings(stack: str, configured: Mapping[str, str]) -> BootstrapSettings:
    """Settings of `stack` from the bootstrap's own keys, without the project's prefix."""
    if stack == "local":
        raise Refused("bad_configuration", "the sandbox needs no bootstrap", "take the stack staging or prod")
    problems = unknown_keys(configured, [key.name for key in KEYS], PROJECT)
    values = values_of(KEYS, configured, f"bootstrap/Pulumi.{stack}.yaml", problems, PROJECT)
    if values.get("approvers") == ():
        problems.append(f"`{PROJECT}:approvers` is empty: without an approver nobody could approve the first run")
    refuse(problems)
    facts = {key.removeprefix(f"{config.PROJECT}:"): value for key, value in stack_config(stack).items()}
    return BootstrapSettings(stack=config.settings(stack, facts), **values)  # type: ignore[arg-type]  # as in `infra.config`
