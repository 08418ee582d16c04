"""What may be stored: no secret in the clear and no file's content, yet everything a later run must compare.

A secret becomes a keyed hash (HMAC-SHA-256 under a random key of that state file), an asset the hash of its
content, both marked so that nothing a user writes can be taken for them. The key stands in the same file (0600), so
a guessable secret could be guessed by who can read it: the hash protects against reading, not against a dictionary.
Every secret that was seen is also looked for inside other strings, because handlers derive outputs from inputs.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sandbox.engine import content, wire

_SEALED_SECRET = "sealed-secret"  # noqa: S105  # a mark, not a secret
_SEALED_FILE = "sealed-file"
# what people see in place of a secret
REDACTED = "[secret]"
# A shorter secret is still sealed where it is marked as one; searching for it elsewhere would hit words by chance.
_SEARCHED_CHARS = 6
# signatures stand beside the secret text inside an envelope and are everywhere
_MARKS = frozenset({wire.SECRET, wire.ASSET, wire.ARCHIVE, wire.RESOURCE, wire.OUTPUT, wire.UNKNOWN})


class Sealer:
    """Turns wire values into what may be stored. Shared by threads; remembers the secrets that it has seen."""

    def __init__(self, key: str, root: Path, secrets: Iterable[str] = ()) -> None:
        self._key = key.encode()
        self._root = root
        self._lock = threading.Lock()
        self._seen = {text for text in secrets if len(text) >= _SEARCHED_CHARS}

    def learn(self, value: Any, *, inside: bool = False) -> None:
        """Remember every secret text in a wire value, so that it is found when it turns up unmarked."""
        inside = inside or wire.signature(value) == wire.SECRET
        if isinstance(value, str) and inside and len(value) >= _SEARCHED_CHARS and value not in _MARKS:
            with self._lock:
                self._seen.add(value)
        for item in wire.children(value):
            self.learn(item, inside=inside)

    def seal(self, value: Any) -> Any:
        """The storable form of a wire value."""
        mark = wire.signature(value)
        if mark == wire.SECRET or (mark == wire.OUTPUT and value.get("secret")):
            return self._secret(value.get("value"))
        if mark in (wire.ASSET, wire.ARCHIVE):
            return {wire.SIGNATURE: _SEALED_FILE, "digest": content.digest(wire.plain(value, self._root))}
        if isinstance(value, dict):
            return {key: self.seal(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.seal(item) for item in value]
        return self._secret(value) if isinstance(value, str) and self._holds_secret(value) else value

    def scrub(self, text: str) -> str:
        """`text` for people, with every secret seen so far replaced."""
        with self._lock:
            known = sorted(self._seen, key=len, reverse=True)
        for value in known:
            text = text.replace(value, REDACTED)
        return text

    def _holds_secret(self, text: str) -> bool:
        with self._lock:
            return any(value in text for value in self._seen)

    def _secret(self, value: Any) -> dict[str, str]:
        text = json.dumps(value, sort_keys=True)
        return {
            wire.SIGNATURE: _SEALED_SECRET,
            "digest": hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest(),
        }


def is_sealed(value: Any) -> bool:
    """Whether a stored value has lost something to sealing, here or deeper."""
    return wire.signature(value) in (_SEALED_SECRET, _SEALED_FILE) or any(map(is_sealed, wire.children(value)))


def readable(value: Any) -> Any:
    """A stored value for people and tests: secrets as `[secret]`, files as `{"sha256": ...}`."""
    match wire.signature(value):
        case mark if mark == _SEALED_SECRET:
            return REDACTED
        case mark if mark == _SEALED_FILE:
            return {"sha256": value["digest"]}
    if isinstance(value, dict):
        return {key: readable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [readable(item) for item in value]
    return value
