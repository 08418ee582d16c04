"""Arguments and options that several verbs share, and what the shell completes for them."""

from __future__ import annotations

from typing import Annotated

import typer

from keyturn.policy_files import names
from keyturn.stack import stacks
from rotation.errors import KeyturnError


def complete_secrets(incomplete: str) -> list[str]:
    """The secrets that begin so, for the shell."""
    # the policies of this checkout: the shell does not wait for a cloud
    try:
        return [name for name in names() if name.startswith(incomplete)]
    except KeyturnError:
        # a verb tells it; a shell that completes has no place for it
        return []


def _given(reason: str) -> str:
    # an empty reason in the record helps nobody at night
    if not reason.strip():
        raise typer.BadParameter("say why: the reason is kept in the record")
    return reason


def _stacks(incomplete: str) -> list[str]:
    return [name for name in stacks() if name.startswith(incomplete)]


StackName = Annotated[
    str, typer.Option("--stack", help="Which stack is meant.", autocompletion=_stacks, show_default=True)
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Name = Annotated[str, typer.Argument(help="A secret, as its policy calls it.", autocompletion=complete_secrets)]
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="Secrets; all without a name.", autocompletion=complete_secrets),
]
Chosen = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Secrets, or --all.", autocompletion=complete_secrets)
]
Reason = Annotated[
    str,
    typer.Option("--reason", help="Why; kept in the record beside who you are.", callback=_given, show_default=False),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do what is shown without asking; for scripts.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Start it and do not watch it.")]
Every = Annotated[bool, typer.Option("--all", help="Every secret of the stack.")]
BreakGlass = Annotated[
    bool, typer.Option("--break-glass", help="Pass a freeze and report-only mode, never the kill switch; recorded.")
]


def some_or_all(names: list[str] | None, *, every: bool) -> list[str]:
    """The named secrets, or none for all of them; BadParameter unless exactly one of both was said."""
    if every == bool(names):
        raise typer.BadParameter("name the secrets, or say --all")
    return list(dict.fromkeys(names or []))
