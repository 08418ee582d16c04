"""What may be stored: no secret in the clear and no file's content, yet everything a later run must compare.

A secret becomes a keyed hash (HMAC-SHA-256 under a random key of that state file), an asset the hash of its
content, both marked so that nothing a user writes can be taken for them. The key stands in the same file (0600), so
a guessable secret could be guessed by who can read it: the hash protects against reading, not against a dictionary.
Every secret that was seen is also looked for inside other strings, because handlers derive outputs from inputs. What
only a provider calls secret is looked for with reserve: pulumi-gcp marks every label of a secret, and a label's text
stands in names, paths and policies that are no secret at all.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sandbox.engine import content, wire

_SEALED_SECRET = "sealed-secret"  # noqa: S105  # a mark, not a secret
_SEALED_FILE = "sealed-file"
# what people see in place of a secret
REDACTED = "[secret]"
# A shorter secret is still sealed where it is marked as one; searching for it elsewhere would hit words by chance.
_SEARCHED_CHARS = 6
# Words, as labels are made of: in a provider's answer no sign of a secret, and found by chance in other texts.
_WORDS = re.compile(r"[A-Z]?[a-z]+(?:[-_ ][A-Z]?[a-z]+)*")
# signatures stand beside the secret text inside an envelope and are everywhere
_MARKS = frozenset({wire.SECRET, wire.ASSET, wire.ARCHIVE, wire.RESOURCE, wire.OUTPUT, wire.UNKNOWN})


class Sealer:
    """Turns wire values into what may be stored. Shared by threads; remembers the secrets that it has seen."""

    def __init__(self, key: str, root: Path, secrets: Iterable[str] = ()) -> None:
        self._key = key.encode()
        self._root = root
        self._lock = threading.Lock()
        self._seen: set[str] = set()
        self._remember(secrets)

    def learn(self, value: Any, *, inside: bool = False) -> None:
        """Remember every secret text that the program gave, so that it is found when it turns up unmarked."""
        self._remember(text for text, secret in _texts(value, inside=inside) if secret)

    def learn_answer(self, outputs: Any, given: Any) -> None:
        """Remember what a provider's answer marks as secret, but no words, and nothing that `given` holds openly."""
        open_texts = {text for text, secret in _texts(given) if not secret}
        marked = {text for text, secret in _texts(outputs) if secret}
        self._remember(text for text in marked - open_texts if not _WORDS.fullmatch(text))

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

    def same(self, one: Any, other: Any) -> bool:
        """Whether two stored values stand for one, also where only one of them was known as a secret at the time."""
        sealed = [wire.signature(value) == _SEALED_SECRET for value in (one, other)]
        if any(sealed) and not all(sealed):
            hidden, clear = (one, other) if sealed[0] else (other, one)
            return bool(hidden == self._secret(clear))
        if isinstance(one, dict) and isinstance(other, dict):
            return one.keys() == other.keys() and all(self.same(one[key], other[key]) for key in one)
        if isinstance(one, list) and isinstance(other, list):
            return len(one) == len(other) and all(map(self.same, one, other))
        return bool(one == other)

    def scrub(self, text: str) -> str:
        """`text` for people, with every secret seen so far replaced."""
        with self._lock:
            known = sorted(self._seen, key=len, reverse=True)
        for value in known:
            text = text.replace(value, REDACTED)
        return text

    def _remember(self, texts: Iterable[str]) -> None:
        found = {text for text in texts if len(text) >= _SEARCHED_CHARS and text not in _MARKS}
        with self._lock:
            self._seen |= found

    def _holds_secret(self, text: str) -> bool:
        with self._lock:
            return any(value in text for value in self._seen)

    def _secret(self, value: Any) -> dict[str, str]:
        text = json.dumps(value, sort_keys=True)
        return {
            wire.SIGNATURE: _SEALED_SECRET,
            "digest": hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest(),
        }


def _texts(value: Any, *, inside: bool = False) -> Iterator[tuple[str, bool]]:
    """Every text in a wire value, and whether it stands inside a secret."""
    inside = inside or wire.signature(value) == wire.SECRET
    if isinstance(value, str):
        yield value, inside
    for item in wire.children(value):
        yield from _texts(item, inside=inside)


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
