"""A person's agreement to what was shown: asked for on a terminal, given by `--yes` in a script, never assumed."""

from __future__ import annotations

import sys

import typer

from rotation.errors import Refused


def on_terminal() -> bool:
    """Whether somebody is there who can answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def agreed(question: str, *, yes: bool) -> bool:
    """Whether to go on: `--yes`, or a yes on the terminal. Without a terminal nobody agrees."""
    return yes or (on_terminal() and typer.confirm(question, err=True))


def demand(question: str, *, yes: bool) -> None:
    """Go on only when it is agreed to; Refused `not_agreed`."""
    if not agreed(question, yes=yes):
        raise Refused(
            "not_agreed", "nothing was changed: it was not agreed to", "repeat it with --yes when it is meant"
        )
