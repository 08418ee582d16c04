"""`keyturn validate-env`: whether the credentials at hand belong to the stack that is meant."""

from __future__ import annotations

from collections.abc import Sequence

from keyturn.checks import Check, checks_table, passed
from keyturn.console import show
from keyturn.environment_checks import environment_checks
from keyturn.exits import Exit
from keyturn.options import AsJson, StackName


def validate_env(stack: StackName = "local", as_json: AsJson = False) -> int:
    """Refuse a mismatch of environment and credentials, and production credentials on a developer's machine.

    Production is for CI. Who has to use it from a desk sets KEYTURN_PRODUCTION_FROM_HERE to the reason, which is shown.

    For example:

        keyturn validate-env --stack staging
    """
    checks = environment_checks(stack)
    show(checks_table(checks), {"ok": passed(checks), "stack": stack, "checks": checks}, as_json=as_json)
    return _code(checks)


def _code(checks: Sequence[Check]) -> Exit:
    return Exit.DONE if passed(checks) else Exit.WRONG_ENVIRONMENT
