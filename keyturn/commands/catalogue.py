"""The list of verbs, in the order of the help."""

from __future__ import annotations

import typer

from keyturn.commands.demo import demo
from keyturn.commands.doctor import doctor
from keyturn.commands.history import history
from keyturn.commands.plan import plan
from keyturn.commands.rotate import rotate
from keyturn.commands.sandbox import clean, down, state, up
from keyturn.commands.status import status
from keyturn.commands.validate_env import validate_env
from keyturn.commands.verify import verify


def register(app: typer.Typer) -> None:
    """Put every verb into `app`."""
    for verb in (plan, rotate, status, history, verify, doctor):
        app.command()(verb)
    app.command("validate-env")(validate_env)
    sandbox = typer.Typer(help="The embedded cloud that the stack `local` lives in.", no_args_is_help=True)
    sandbox.command("up")(up)
    sandbox.command("down")(down)
    sandbox.command("status")(state)
    app.add_typer(sandbox, name="sandbox")
    app.command()(clean)
    app.command()(demo)
