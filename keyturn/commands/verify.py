"""`keyturn verify`: whether the record of a secret's last rotation proves it. Reads only."""

from __future__ import annotations

from rich.console import Group
from rich.text import Text

from keyturn import connect
from keyturn.checks import Verdict, checks_table, passed
from keyturn.console import show
from keyturn.exits import Exit
from keyturn.options import AsJson, Name, StackName
from keyturn.proof import UNCHECKED, proof_checks


def verify(name: Name, stack: StackName = "local", as_json: AsJson = False) -> int:
    """Check that the record of the last rotation is a whole proof: new accepted, old refused, policy followed.

    For example:

        keyturn verify payments/postgres
    """
    control = connect.control_of(stack)
    standing = control.status([name])[0]
    checks = proof_checks(control, standing)
    proven = passed(checks) and all(check.verdict is Verdict.OK for check in checks)
    told = f"{name}: {'proven by its record' if proven else 'not proven'}"
    unchecked = [Text(f"not checked: {what}", style="dim") for what in UNCHECKED]
    document = {"ok": proven, "secret": name, "checks": checks, "not_checked": UNCHECKED}
    show(Group(checks_table(checks), Text(), Text(told), *unchecked), document, as_json=as_json)
    return Exit.DONE if proven else Exit.CHECK_FAILED
