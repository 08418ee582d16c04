"""The list of verbs, in the order of the help."""

from __future__ import annotations

import typer

from keyturn.commands import approvals, events, overlap, policy, reminder, switches
from keyturn.commands.consumers import consumers
from keyturn.commands.demo import demo
from keyturn.commands.discover import discover
from keyturn.commands.doctor import doctor
from keyturn.commands.history import history
from keyturn.commands.plan import plan
from keyturn.commands.repair import repair
from keyturn.commands.resume import resume
from keyturn.commands.rollback import rollback
from keyturn.commands.rotate import rotate
from keyturn.commands.rotate_many import emergency
from keyturn.commands.sandbox import clean, down, state, up
from keyturn.commands.status import status
from keyturn.commands.validate_env import validate_env
from keyturn.commands.verify import verify


def register(app: typer.Typer) -> None:
    """Put every verb into `app`."""
    for verb in (plan, rotate, emergency, status, consumers, history, rollback, resume, repair):
        app.command()(verb)
    _register_overlap(app)
    _register_approvals(app)
    _register_events(app)
    _register_reminders(app)
    _register_switches(app)
    _register_policy(app)
    app.command()(discover)
    app.command()(verify)
    app.command()(doctor)
    app.command("validate-env")(validate_env)
    sandbox = typer.Typer(help="The embedded cloud that the stack `local` lives in.", no_args_is_help=True)
    sandbox.command("up")(up)
    sandbox.command("down")(down)
    sandbox.command("status")(state)
    app.add_typer(sandbox, name="sandbox")
    app.command()(clean)
    app.command()(demo)


def _register_overlap(app: typer.Typer) -> None:
    both = typer.Typer(help="End the overlap of old and new before its time, or make it longer.", no_args_is_help=True)
    both.command("close")(overlap.close)
    both.command("extend")(overlap.extend)
    app.add_typer(both, name="overlap")


def _register_reminders(app: typer.Typer) -> None:
    asked = typer.Typer(no_args_is_help=True, help="What people change by hand, and the evidence that they did.")
    asked.command("list")(reminder.listed)
    asked.command("done")(reminder.done)
    app.add_typer(asked, name="reminder")


def _register_approvals(app: typer.Typer) -> None:
    asked = typer.Typer(help="List the runs that wait for a person; answer one.", invoke_without_command=True)
    asked.callback()(approvals.waiting)
    asked.command("approve")(approvals.approve)
    asked.command("deny")(approvals.deny)
    app.add_typer(asked, name="approvals")


def _register_events(app: typer.Typer) -> None:
    owed = typer.Typer(help="What consumers have not been told; tell them at once.", no_args_is_help=True)
    owed.command("list")(events.waiting)
    owed.command("replay")(events.replay)
    app.add_typer(owed, name="events")


def _register_policy(app: typer.Typer) -> None:
    written = typer.Typer(help="The policies of this checkout: what they say, break, and change.", no_args_is_help=True)
    written.command("show")(policy.show_policy)
    written.command("lint")(policy.lint_policies)
    written.command("diff")(policy.diff_policies)
    written.command("explain")(policy.explain_policy)
    app.add_typer(written, name="policy")


def _register_switches(app: typer.Typer) -> None:
    brake = typer.Typer(help="Stop every run before its next step, at once.", no_args_is_help=True)
    brake.command("engage")(switches.engage)
    brake.command("release")(switches.release)
    brake.command("show")(switches.show_switch)
    app.add_typer(brake, name="kill-switch")
    app.command("freeze")(switches.freeze)
    app.command("unfreeze")(switches.unfreeze)
    reporting = typer.Typer(help="Let runs report what they would do, and change nothing.", no_args_is_help=True)
    reporting.command("on")(switches.report_on)
    reporting.command("off")(switches.report_off)
    app.add_typer(reporting, name="report-only")
