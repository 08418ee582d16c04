"""Arguments and options that several verbs share, and what the shell completes for them."""

from __future__ import annotations

from typing import Annotated

import typer

from keyturn.policy_files import all_policies
from keyturn.stack import stacks
from rotation.errors import KeyturnError


def _secrets(incomplete: str) -> list[str]:
    # the policies of this checkout: the shell does not wait for a cloud
    try:
        return [policy.name for policy in all_policies() if policy.name.startswith(incomplete)]
    except KeyturnError:
        # a verb tells it; a shell that completes has no place for it
        return []


def _stacks(incomplete: str) -> list[str]:
    return [name for name in stacks() if name.startswith(incomplete)]


StackName = Annotated[
    str, typer.Option("--stack", help="Which stack is meant.", autocompletion=_stacks, show_default=True)
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Name = Annotated[str, typer.Argument(help="A secret, as its policy calls it.", autocompletion=_secrets)]
Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Secrets; all without a name.", autocompletion=_secrets)
]
