"""`keyturn policy show | lint | diff | explain`: policies as their author and their reviewer see them. Reads only.

All four look at files and git alone; no stack has to be up. Not here: what a stack's catalogue says (`status`).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

import typer
from rich.console import Group
from rich.text import Text

from keyturn import policy_calendar, policy_view
from keyturn.console import err, moment, out, seconds, show, table
from keyturn.exits import Exit
from keyturn.options import AsJson, Name, complete_secrets
from keyturn.policy_diff import changes, markdown, worst
from keyturn.policy_directions import Direction
from keyturn.policy_files import all_policies, typed_policies, unlisted
from keyturn.policy_lint import lint
from keyturn.policy_revision import documents
from keyturn.stack import stacks
from rotation.errors import Refused
from rotation.policy import Policy


def _day(text: str) -> str:
    try:
        date.fromisoformat(text or "2026-12-31")
    except ValueError:
        raise typer.BadParameter("write a day as 2026-12-31") from None
    return text


NameOrAll = Annotated[str, typer.Argument(help="A policy; all without one.", autocompletion=complete_secrets)]
Stacks = Annotated[list[str] | None, typer.Option("--stack", help="Judge with the facts of this stack; all without.")]
Day = Annotated[str, typer.Option("--date", help="Judge waivers as of this day; today without.", callback=_day)]
Since = Annotated[
    str, typer.Option("--from", help="The last rotation ended on this day; today without.", callback=_day)
]
Before = Annotated[str, typer.Argument(metavar="REV1", help="A git revision.")]
After = Annotated[str, typer.Argument(metavar="[REV2]", help="Another one; the files at hand without.")]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="For a pull request.")]

_CODES = {None: Exit.DONE, Direction.CHANGED: Exit.POLICY_CHANGED, Direction.WEAKER: Exit.POLICY_WEAKER}


def show_policy(name: NameOrAll = "", as_json: AsJson = False) -> int:
    """Show the policies of this checkout as a table, or one of them in full.

    For example:

        keyturn policy show

        keyturn policy show payments/postgres
    """
    policies = [_named(name)] if name else list(typed_policies())
    shown = policy_view.one(policies[0]) if name else policy_view.table_of(policies)
    show(shown, {"ok": True, "policies": policies}, as_json=as_json)
    return Exit.DONE


def lint_policies(stack: Stacks = None, day: Day = "", as_json: AsJson = False) -> int:
    """Hold every policy to every rule, and say all that is wrong, with file, field and remedy.

    For example:

        keyturn policy lint --date 2027-01-01
    """
    today = date.fromisoformat(day) if day else datetime.now(UTC).date()
    asked = stack or stacks()
    found = lint(asked, today)
    good = f"{len(all_policies())} policies keep to every rule on {today}, in {', '.join(asked)}"
    shown = policy_view.findings(found, len(asked)) if found else Text(good)
    aside = unlisted()
    notes = [Text(f"{file} is not in policies.ALL: nothing rotates by it", style="dim") for file in aside]
    document = {"ok": not found, "date": str(today), "stacks": asked, "problems": found, "unlisted": aside}
    show(Group(shown, *notes), document, as_json=as_json)
    return Exit.BAD_POLICY if found else Exit.DONE


def diff_policies(before: Before, after: After = "", as_json: AsJson = False, as_markdown: AsMarkdown = False) -> int:
    """Say what differs between the policies of two revisions, and which way each change goes.

    The files of a revision are imported: look at a revision that you do not trust with `git show`, not with this.

    For example:

        keyturn policy diff main

        keyturn policy diff v1.4 v1.5 --markdown
    """
    if as_json and as_markdown:
        raise typer.BadParameter("--json or --markdown, not both")
    found = changes(documents(before), documents(after))
    if as_markdown:
        out().print(markdown(found, f"Policies: {before} to {after or 'the files at hand'}"), soft_wrap=True)
        return _CODES[worst(found)]
    styles = {Direction.WEAKER: "red", Direction.STRONGER: "green", Direction.CHANGED: ""}
    lines = [Text(str(change), style=styles[change.direction]) for change in found] or [Text("no policy differs")]
    direction = worst(found)
    show(Group(*lines), {"ok": True, "direction": direction or "same", "changes": found}, as_json=as_json)
    return _CODES[direction]


def explain_policy(name: Name, since: Since = "", as_json: AsJson = False) -> int:
    """Show the next ten rotations of a policy, and the months they fall in with windows and freezes.

    For example:

        keyturn policy explain payments/postgres --from 2026-11-01
    """
    policy = _named(name)
    began = datetime.fromisoformat(since).replace(tzinfo=UTC) if since else datetime.now(UTC).replace(microsecond=0)
    try:
        coming = policy_calendar.rotations(policy, began)
    except ValueError as exc:
        raise Refused("bad_policies", f"policy {name}, {exc}", "`keyturn policy lint` says everything") from exc
    rows = table("", "due", "may start", "waits")
    for one in coming:
        waits = seconds((one.start - one.due).total_seconds()) if one.start and one.start != one.due else ""
        rows.add_row(moment(one.due), moment(one.start) or "never", waits)
    blocks = policy_calendar.months(policy, coming, began.date())
    drawn = policy_calendar.side_by_side(blocks, policy_calendar.fitting(out().width))
    note = f"{policy.cadence}, counted from {moment(began)}; jitter, order and budgets of the sweep come on top"
    document = {"ok": True, "policy": name, "from": began, "rotations": coming}
    show(Group(Text(note), rows, Text(), Text(drawn), Text(policy_calendar.LEGEND)), document, as_json=as_json)
    if any(one.start is None for one in coming) and not as_json:
        err().print(Text("some can never start: see `keyturn policy lint`", style="yellow"))
    return Exit.DONE


def _named(name: str) -> Policy:
    found = next((policy for policy in typed_policies() if policy.name == name), None)
    if found is None:
        known = ", ".join(policy.name for policy in typed_policies())
        raise Refused("unknown_secret", f"no policy is called `{name}`", f"the policies are {known}")
    return found
