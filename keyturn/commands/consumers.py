"""`keyturn consumers`: who uses which version of a secret, as they said themselves, and what each is configured with.

Nothing of the configuration is secret: a login to Redis and AWS credentials are the consumer's own.
"""

from __future__ import annotations

import shlex
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from keyturn import connect
from keyturn.answers import Consumer, ConsumerInFull, Consumers
from keyturn.commands.rotate import short
from keyturn.console import emit, moment, out, show, table
from keyturn.exits import Exit
from keyturn.options import AsJson, Name, StackName
from rotation.errors import Refused

Settings = Annotated[
    bool, typer.Option("--settings", help="What a service that uses the library is started with, for a shell.")
]


def consumers(name: Name, stack: StackName = "local", settings: Settings = False, as_json: AsJson = False) -> int:
    """Show which instances of its consumers have acknowledged the current version of a secret.

    Only consumers of the kind `client` acknowledge. One that was never heard is unknown, and unknown is never verified.
    With `--settings` the variables of a consumer instead (docs/client.md); nothing of them is secret.

    For example:

        keyturn consumers partners/webhook-key
        keyturn consumers payments/postgres --settings > consumer.env
    """
    found = connect.control_of(stack).consumers(name)
    if settings:
        _show_settings(settings_of(found, *connect.endpoint_of(stack)), as_json=as_json)
        return Exit.DONE
    show(consumers_view(found), {"ok": True, **found.model_dump(mode="json")}, as_json=as_json)
    return Exit.DONE


def _show_settings(given: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        emit({"ok": True, "settings": given})
        return
    for variable, said in given.items():
        # folded by no terminal: a shell reads it
        out().print(f"{variable}={shlex.quote(said)}", soft_wrap=True)


def settings_of(found: Consumers, endpoint: str, host: str) -> dict[str, str]:
    """By the name of the variable. Refused `answer_not_understood` where the deployed function cannot tell."""
    if not found.published:
        raise Refused(
            "answer_not_understood",
            "the deployed control function does not know what the stack publishes for consumers",
            "deploy the stack from this checkout; until then `pulumi stack output events` has it",
        )
    said = {"KEYTURN_EVENTS": found.published, "KEYTURN_ENDPOINT": endpoint, "SECRET": found.secret}
    return said | ({"KEYTURN_ENDPOINT_HOST": host} if host else {})


def consumers_view(found: Consumers) -> RenderableType:
    """A line of each consumer, then one of each instance."""
    if not found.consumers:
        return Text(f"{found.secret}: its policy waits for no consumer")
    waits = "the old credential lives until all have it" if found.awaited else "nothing waits for them now"
    lines = [Text(f"{found.secret}  current {short(found.version) or 'no value yet'}, {waits}")]
    lines += [Text(f"{one.name}  {consumer_words(one)}") for one in found.consumers]
    return Group(*lines, Text(), _instances(found.consumers))


def consumer_words(one: Consumer) -> str:
    """How a consumer stands, in a few words."""
    said = f"{one.acknowledged} of {one.live} live instances have acknowledged"
    return {
        "unknown": "unknown: no instance was ever heard of",
        "silent": "silent: no instance is left, and none has acknowledged",
    }.get(one.state, said if one.live else "acknowledged by instances that are gone")


def _instances(found: list[ConsumerInFull]) -> RenderableType:
    shown = table("", "consumer", "instance", "version", "acknowledged", "seen", "lease until", "as")
    for one in found:
        for each in one.instances:
            lease = moment(each.expires_at) if each.live else f"ran out {moment(each.expires_at)}"
            acknowledged = moment(each.acknowledged_at) or "no"
            seen = moment(each.seen_at)
            shown.add_row(one.name, each.instance, short(each.version), acknowledged, seen, lease, each.actor)
    return shown
