"""The AWS provider's default tags, merged into a resource's `tags` where the resource is first seen.

pulumi-aws merges them when it checks inputs (`provider/tags.go` of pulumi/pulumi-aws), before anything is compared; so
do the engine and the provider here, and a changed default is a change of every resource that has tags. One
difference: pulumi-aws keeps the merged ones apart, in `tagsAll`. Deliberately not here: `ignoreTags`, and the default
labels of pulumi-gcp.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.engine import wire
from sandbox.handlers.contract import Selective

_TAGS = "tags"


def of_provider(inputs: wire.Wire) -> dict[str, str]:
    """The default tags among a provider's wire inputs; empty when it has none, or when they are not known yet."""
    given = wire.plain(inputs.get("defaultTags"), Path())
    # SDKs send what is nested in a provider's inputs as JSON text
    declared = json.loads(given) if isinstance(given, str) and given != wire.UNKNOWN else given
    tags = (declared or {}).get(_TAGS) if isinstance(declared, dict) else None
    return {} if not tags or wire.has_unknown(tags) else dict(tags)


def merged(inputs: wire.Wire, defaults: Mapping[str, str], handler: object) -> wire.Wire:
    """Wire inputs with the defaults below their own tags, for a type that takes tags; others as they are."""
    tags: Any = inputs.get(_TAGS) or {}
    taken = isinstance(handler, Selective) and _TAGS in handler.serves
    # what is secret or unknown as a whole cannot be merged key by key
    if not defaults or not taken or not isinstance(tags, dict) or wire.signature(tags):
        return inputs
    return {**inputs, _TAGS: {**defaults, **tags}}
