"""`keyturn doctor`: looks at every part of a stack and says what to do about those that are not well. Reads only."""

from __future__ import annotations

from keyturn.checks import checks_table, passed
from keyturn.console import show
from keyturn.diagnosis import examine
from keyturn.exits import Exit
from keyturn.options import AsJson, StackName


def doctor(stack: StackName = "local", as_json: AsJson = False) -> int:
    """Examine interpreter, configuration, sandbox, functions, machines, control and where each secret stands.

    For example:

        keyturn doctor

        keyturn doctor --stack prod --json
    """
    checks = examine(stack)
    show(checks_table(checks), {"ok": passed(checks), "stack": stack, "checks": checks}, as_json=as_json)
    return Exit.DONE if passed(checks) else Exit.CHECK_FAILED
