"""A secret value that cannot be printed, logged, pickled or serialised by accident.

The only way to the bytes is `unsafe_reveal`, whose name is searched for in reviews and by the leak test.
Equality is constant-time. There is no `__str__` that helps, on purpose.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import NoReturn

_REDACTED = "SecretValue(***)"
# Long enough to tell two values apart, too short to be a target for guessing beside a random value of 128 bits or more.
_FINGERPRINT_CHARS = 16


class SecretValue:
    """The content of one secret version: UTF-8 text, for credentials a flat JSON object of strings."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> SecretValue:
        """The canonical JSON of `fields` (sorted keys, no spaces), so that equal fields are equal values."""
        return cls(json.dumps(dict(fields), sort_keys=True, separators=(",", ":")))

    def unsafe_reveal(self) -> str:
        """The text itself. Give it to a store or a target, never to a log, event, state or exception."""
        return self._text

    def unsafe_fields(self) -> dict[str, str]:
        """The JSON object as a dictionary; ValueError (without the text) when it is not a flat object."""
        try:
            loaded = json.loads(self._text)
        except ValueError:
            loaded = None
        if not isinstance(loaded, dict):
            raise ValueError("the secret value is not a JSON object") from None
        return {str(k): str(v) for k, v in loaded.items()}

    def fingerprint(self) -> str:
        """A short SHA-256 of the text, to compare versions without keeping the value.

        Only for values with enough entropy of their own (everything Keyturn mints is).
        """
        return hashlib.sha256(self._text.encode()).hexdigest()[:_FINGERPRINT_CHARS]

    def same_credential(self, other: SecretValue) -> bool:
        """Whether both say the same, however they are written: another tool orders and spaces fields in its own way."""
        try:
            return self.unsafe_fields() == other.unsafe_fields()
        except ValueError:
            return self == other

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretValue) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> NoReturn:
        raise TypeError("a SecretValue is not hashable: it must not become a key")

    def __repr__(self) -> str:
        return _REDACTED

    def __format__(self, spec: str) -> str:
        return _REDACTED

    def __reduce__(self) -> NoReturn:
        raise TypeError("a SecretValue cannot be pickled or copied into another process")
