"""`keyturn consumers`: who uses which version of a secret, instance by instance, as they said themselves."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from keyturn import connect
from keyturn.answers import Consumer, ConsumerInFull, Consumers
from keyturn.commands.rotate import short
from keyturn.console import moment, show, table
from keyturn.exits import Exit
from keyturn.options import AsJson, Name, StackName


def consumers(name: Name, stack: StackName = "local", as_json: AsJson = False) -> int:
    """Show which instances of its consumers have acknowledged the current version of a secret.

    Only consumers of the kind `client` acknowledge. One that was never heard is unknown, and unknown is never verified.

    For example:

        keyturn consumers partners/webhook-key
    """
    found = connect.control_of(stack).consumers(name)
    show(consumers_view(found), {"ok": True, **found.model_dump(mode="json")}, as_json=as_json)
    return Exit.DONE


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
