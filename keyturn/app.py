"""The verbs put together, and the one place where errors become messages and exit codes.

Verbs return their exit code and raise; nothing below this module prints an error of its own or exits. What a verb needs
beyond the help is imported by the verb, so that `--help` and completion are quick.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from keyturn.commands.catalogue import register
from keyturn.exits import MEANINGS, Exit
from keyturn.failures import tell, tell_defect, told
from rotation.errors import KeyturnError

NAME = "keyturn"


def epilogue() -> str:
    """The exit codes, for the end of the help."""
    codes = "\n\n".join(f"{int(code)}  {meaning}" for code, meaning in MEANINGS.items())
    return f"Exit codes:\n\n{codes}"


def application() -> typer.Typer:
    """The command with all its verbs."""
    app = typer.Typer(
        name=NAME,
        help="Rotate credentials in AWS Secrets Manager, Vault and Google Secret Manager, and prove each rotation.",
        epilog=epilogue(),
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    register(app)
    return app


def _verb(app: typer.Typer, given: Sequence[str]) -> list[str]:
    """The words of a command line that name the verb, as far as there is one: `overlap extend`."""
    here: object = typer.main.get_command(app)
    named: list[str] = []
    for word in (word for word in given if not word.startswith("-")):
        here = getattr(here, "commands", {}).get(word)
        if here is None:
            break
        named.append(word)
    return named


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code. Never lets an exception out."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    app = application()
    try:
        return int(app(given, prog_name=NAME, standalone_mode=False) or 0)
    except KeyturnError as error:
        return tell(error, as_json=as_json)
    except TyperException as error:
        remedy = f"see `{' '.join([NAME, *_verb(app, given)])} --help`"
        return told(Exit.USAGE, "usage", error.format_message(), remedy, as_json=as_json)
    except (KeyboardInterrupt, typer.Abort):
        return told(Exit.INTERRUPTED, "interrupted", "interrupted", "", as_json=as_json)
    except Exception as error:  # noqa: BLE001  # the last resort: a defect is told in one line
        return tell_defect(error, as_json=as_json)
