"""The one check of a value's size against its store's limit, made before any call.

A store's own refusal comes late and differs per storage behind it; ours names both numbers and never the value.
"""

from __future__ import annotations

from rotation.contract import StoreCapabilities
from rotation.errors import Refused
from rotation.value import SecretValue


def check_size(value: SecretValue, capabilities: StoreCapabilities, *, overhead_bytes: int = 0) -> None:
    """Refused `value_too_large` when the UTF-8 text and what the adapter adds to it exceed the store's limit."""
    size = len(value.unsafe_reveal().encode()) + overhead_bytes
    if size > capabilities.max_value_bytes:
        raise Refused(
            "value_too_large",
            f"the value takes {size} bytes, the store holds {capabilities.max_value_bytes}",
            "shorten the credential, or store a reference to it",
        )
