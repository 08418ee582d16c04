"""Where and how a value lies in KV v2: live as the credential's fields, pending in an envelope with the run's id.

Readers of the live path see the fields and nothing of Keyturn's. Going through a dictionary makes every value
canonical (sorted keys, no spaces), so that equal fields have equal fingerprints wherever they lie.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rotation.contract import SecretRef
from rotation.errors import Refused
from rotation.stores.vault_kv import split
from rotation.value import SecretValue

PENDING_PREFIX = "pending"


def pending_path(ref: SecretRef) -> str:
    """The sibling path of the same mount on which a candidate waits."""
    mount, path = split(ref.path)
    return f"{mount}/{PENDING_PREFIX}/{path}"


def fields_of(value: SecretValue) -> dict[str, Any]:
    """The data of a live version. Refused `value_not_fields` when the value is not a JSON object."""
    try:
        loaded = json.loads(value.unsafe_reveal())
    except ValueError:
        loaded = None
    if not isinstance(loaded, dict):
        raise Refused(
            "value_not_fields", "Vault keeps a credential as fields: its value must be a JSON object"
        ) from None
    return loaded


def value_of(data: Mapping[str, Any]) -> SecretValue:
    """The value of a live version, canonical."""
    return SecretValue(json.dumps(dict(data), sort_keys=True, separators=(",", ":")))


def staged_data(run_id: str, value: SecretValue) -> dict[str, Any]:
    """The data of a pending version."""
    return {"run_id": run_id, "value": fields_of(value)}


def staged_run(data: Mapping[str, Any]) -> str:
    """Whose pending version it is; empty when Keyturn did not write it."""
    return str(data.get("run_id", ""))


def staged_value(data: Mapping[str, Any]) -> SecretValue:
    """The value of a pending version. Refused `pending_malformed` when Keyturn did not write it."""
    inner = data.get("value")
    if not isinstance(inner, dict):
        raise Refused("pending_malformed", "the pending path holds data that Keyturn did not write")
    return value_of(inner)
