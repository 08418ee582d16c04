"""Do environment and credentials belong together? The configuration says which account a stack is, AWS whose we are.

On `local` nobody is asked: the sandbox takes the emulator's own keys, and what else lies on the machine is not looked
for. Not here: Vault's and Google's identities, which only the functions have.
"""

from __future__ import annotations

import os

from keyturn.checks import Check, fail, ok, warn
from keyturn.stack import ROOT, Stack, load, stacks, texts

PRODUCTION = "prod"
# Set by every CI service that this project knows of.
CI_VARIABLE = "CI"
# Its text is the reason, and is shown: whoever uses production from a desk says why.
OVERRIDE_VARIABLE = "KEYTURN_PRODUCTION_FROM_HERE"


def environment_checks(stack_name: str) -> list[Check]:
    """The checks of one stack; raises Refused `unknown_stack`, `bad_configuration`, and what AWS refuses."""
    from infra.config import settings  # noqa: PLC0415  # imports pulumi

    found = settings(stack_name, texts(stack_name))
    configuration = ok("configuration", f"every key of Pulumi.{stack_name}.yaml is known and well-formed")
    stack = load(stack_name) if not found.local else None
    if stack is None:
        return [configuration, ok("credentials", "the emulator's own; no account is reached")]
    from keyturn.identity import caller  # noqa: PLC0415  # the AWS SDK

    return [configuration, *account_checks(stack, caller(stack).account)]


def account_checks(stack: Stack, account: str) -> list[Check]:
    """Whether credentials of `account` may be used for `stack` here."""
    checks = [_account(stack, account)]
    if account in (production_account(), stack.account if stack.name == PRODUCTION else ""):
        checks.append(_desk())
    return checks


def production_account() -> str:
    """The account of the stack `prod`, empty without such a stack."""
    return texts(PRODUCTION).get("awsAccount", "") if PRODUCTION in stacks(ROOT) else ""


def _account(stack: Stack, account: str) -> Check:
    if account == stack.account:
        return ok("account", f"the credentials are of {account}, the account of {stack.name}")
    return fail(
        "account",
        f"the credentials are of account {account}, the stack {stack.name} is in {stack.account}",
        f"sign in to the account of {stack.name}, or name the stack that you mean",
    )


def _desk() -> Check:
    if os.environ.get(CI_VARIABLE):
        return ok("where", "production credentials in CI")
    reason = os.environ.get(OVERRIDE_VARIABLE, "")
    if reason:
        return warn("where", f"production credentials outside CI, because: {reason}", "take them away when done")
    return fail(
        "where",
        "production credentials on a machine that is not CI",
        f"use the pipeline; in an emergency set {OVERRIDE_VARIABLE} to the reason",
    )
