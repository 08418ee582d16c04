"""From an event of the bus to an incident: the envelope is checked here, each shape by its own module.

The envelope is written by EventBridge, what is in it by whoever sent it: an `aws.` source is AWS itself (PutEvents
refuses it to anybody else), and the account is that of the sender. Everything else is believed by nobody yet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from rotation.errors import Refused
from rotation.incidents import aws_shapes, trigger
from rotation.incidents.fields import bad
from rotation.incidents.incident import Incident, Ours

# The largest entry that EventBridge takes (EventBridge quotas), and as much again for the envelope.
LARGEST = 2 * 256 * 1024
# Only events of the bus have it; neither a machine's nor the endpoint's event does.
MARK = "detail-type"

Shape = Callable[[Mapping[str, Any], Mapping[str, Any], Ours, str], Incident]
SHAPES: Mapping[tuple[str, str], Shape] = {
    (aws_shapes.SOURCE, aws_shapes.CALL): aws_shapes.read_call,
    (aws_shapes.SOURCE, aws_shapes.LABEL): aws_shapes.read_label,
    (trigger.SOURCE, trigger.DETAIL_TYPE): trigger.read,
}


def read(event: Mapping[str, Any], ours: Ours, now: str) -> Incident:
    """The incident in an event; now: the ledger's time.

    Raises:
        Refused: `event_too_large`, `foreign_account`, `unknown_event`, `bad_event`, `event_from_the_future`.
    """
    _check_size(event)
    if event.get("account") != ours.account:
        raise Refused("foreign_account", "the event comes from another account", "send it from the stack's own")
    shape = SHAPES.get((str(event.get("source")), str(event.get(MARK))))
    if shape is None:
        raise Refused("unknown_event", "no shape is known for such an event", "send what docs/triggers.md describes")
    detail = event.get("detail")
    if not isinstance(detail, dict):
        raise bad("detail", "an object")
    return shape(event, detail, ours, now)


def _check_size(event: Mapping[str, Any]) -> None:
    try:
        size = len(json.dumps(dict(event)))
    except (TypeError, ValueError, RecursionError):
        size = LARGEST + 1
    if size > LARGEST:
        raise Refused("event_too_large", "the event is larger than the bus takes", "send references, not documents")
