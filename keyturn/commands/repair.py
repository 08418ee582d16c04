"""`keyturn repair`: what is not well with secrets, how it is known, and the one safe action, done when agreed to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from keyturn import connect
from keyturn.asking import agreed
from keyturn.console import err, out, show
from keyturn.control import Control
from keyturn.exits import Exit, worst
from keyturn.failures import first_failure
from keyturn.findings import Found
from keyturn.interruption import interrupted
from keyturn.mending import Case, Mending
from keyturn.options import AsJson, Every, StackName, Yes, complete_secrets, some_or_all
from keyturn.remedies import at
from keyturn.repair_view import cases_table, document, finding
from keyturn.runs import NO_SUCH_RUN, find_run
from rotation.errors import NotFound

DEFAULT_REASON = "asked for with keyturn repair"
What = Annotated[
    list[str] | None,
    typer.Argument(metavar="[RUN|NAME]...", help="Secrets, or runs of theirs.", autocompletion=complete_secrets),
]
Why = Annotated[str, typer.Option("--reason", help="Why; kept in the record of what is done.")]


def repair(  # noqa: PLR0913, PLR0917  # one per option of the verb
    what: What = None,
    every: Every = False,
    yes: Yes = False,
    reason: Why = DEFAULT_REASON,
    stack: StackName = "local",
    as_json: AsJson = False,
) -> int:
    """Compare stores, targets and ledger, and say what is not well, how that is known, and the one safe action.

    Changes nothing unless you agree on a terminal, or with --yes. Goes on until the secret is well, or until nothing
    safe is left to do; then it prints the commands that would decide. What it takes back or clears is done also while
    the kill switch, a freeze or report-only is on; what it rotates, retires or resumes is not.

    For example:

        keyturn repair payments/postgres

        keyturn repair 3f2a91c0 --yes --reason "the function was killed"

        keyturn repair --all
    """
    named = some_or_all(what, every=every)
    if not reason.strip():
        raise typer.BadParameter("say why with --reason: it is kept in the record")
    control = connect.control_of(stack, to_start=True)
    cases = [Case(secret=secret) for secret in secrets_of(control, named, stack)]

    def tell(found: Found, number: int) -> None:
        (err() if as_json else out()).print(finding(found, number, stack))

    mending = Mending(control, reason, stack, lambda found: agreed(_question(found), yes=yes), tell)
    try:
        for case in cases:
            mending.treat(case)
    except KeyboardInterrupt:
        return interrupted([one.secret for one in cases if one.under_way], stack, as_json=as_json)
    return _told(cases, as_json=as_json)


def secrets_of(control: Control, named: Sequence[str], stack: str) -> list[str]:
    """The secrets that are meant, all of them without a name; NotFound `unknown_secret` for what is neither."""
    known = [standing.secret for standing in control.status([])]
    if not named:
        return known
    secrets = [name if name in known else _of_run(control, name, stack) for name in named]
    return list(dict.fromkeys(secrets))


def _of_run(control: Control, text: str, stack: str) -> str:
    try:
        return find_run(control, text, stack).secret
    except NotFound as exc:
        if not exc.message.endswith(NO_SUCH_RUN):
            raise
        next_step = f"`keyturn status{at(stack)}` lists the secrets and their last runs"
        raise NotFound("unknown_secret", f"`{text}` is neither a secret nor a run", next_step) from exc


def _question(found: Found) -> str:
    says = found.action.says if found.action else ""
    return f"{found.secret}: {says}?"


def _told(cases: Sequence[Case], *, as_json: bool) -> int:
    code = worst([case.exit for case in cases])
    whole = {"ok": code is Exit.DONE, "secrets": [document(case) for case in cases], **first_failure(cases)}
    show(cases_table(cases), whole, as_json=as_json)
    for case in cases:
        if case.remedy:
            err().print(f"next for {case.secret}: {case.remedy}")
    return code
