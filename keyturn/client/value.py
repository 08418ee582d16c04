"""A secret value that cannot be printed, logged or pickled by accident, and what is known of the version it is.

The library installs without the rest of the project, so it has a value type of its own. The only way to the text is
`unsafe_reveal`, whose name is searched for in reviews.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import NoReturn

from keyturn.client.errors import ClientError

_REDACTED = "Value(***)"


class Value:
    """The content of one secret version: text, for most credentials a flat JSON object of strings."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def unsafe_reveal(self) -> str:
        """The text itself. Give it to whom it is for, never to a log, an event or an exception."""
        return self._text

    def unsafe_fields(self) -> dict[str, str]:
        """The JSON object as a dictionary.

        Raises:
            ClientError: `value_not_fields`, without the text.
        """
        try:
            loaded = json.loads(self._text)
        except ValueError:
            loaded = None
        if not isinstance(loaded, dict):
            raise ClientError("value_not_fields", "the secret value is not a JSON object") from None
        return {str(name): str(part) for name, part in loaded.items()}

    def __repr__(self) -> str:
        return _REDACTED

    def __format__(self, spec: str) -> str:
        return _REDACTED

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Value cannot be pickled or copied into another process")


@dataclass(frozen=True, kw_only=True)
class Held:
    """A version as a consumer holds it.

    store_version: as the store names it. version: Keyturn's id of it, 32 hex digits; "" until an event has told it
    (AWS: the two are the same). Two are equal when they are the same version of the store.
    """

    store_version: str
    value: Value = field(compare=False)
    version: str = field(default="", compare=False)
