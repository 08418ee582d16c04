"""Redaction by key and by shape, for log lines: the last of several fences.

Values are `SecretValue`s and events carry references; this exists for what a vendor or a mistake puts in a message. It
would rather hide too much: what it hides is named by its key, and can be looked up by run id. Not here: values that
have neither a telling key nor a telling shape, such as a short password alone; nothing can tell those.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

REDACTED = "[redacted]"
# Parts of a key's name, compared without case and punctuation: `X-Api-Key` holds `apikey`. PII_KEYS adds to them.
SECRET_KEYS = (
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "auth",
    "bearer",
    "credential",
    "privatekey",
)
# Exactly these keys are names of secrets or public parts. A key that is just `secret` is hidden: SDKs give it to values
# (hvac's `secret={...}`), so our own lines call a secret by its `policy`.
PLAIN_KEYS = frozenset({"secretname", "secretid", "authority", "author", "tokentype", "pendingtoken"})
# Deeper structures are cut: a log line is for reading.
DEEPEST = 8
# Long enough to spare names, short enough for an AWS secret access key: 40 characters of base64 hold 30 bytes.
LONG = 40
_RUN = "[A-Za-z0-9+/_-]"

# What is kept although it is long: ARNs, Google's resource names, source files in tracebacks. Bounded, so that a long
# text costs no more than its length.
_KEPT = (
    r"\barn:aws[\w-]*:[\w:/+.@*-]{1,700}"
    r"|\bprojects/[\w-]{1,64}/secrets/[\w-]{1,255}(?:/versions/\w{1,64})?(?![A-Za-z0-9+/_-])"
    r"|(?:/[\w.+@-]{1,80}){1,24}\.py\b"
)
# Patterns as text: `re` compiles and keeps them when the first line is written, not while the handler is imported.
_SHAPES = (
    rf"(?P<kept>{_KEPT})"
    # a JSON web token, or the five parts of an encrypted one
    r"|eyJ[\w-]{8,}(?:\.[\w-]*){1,4}"
    # a PEM block, also one that was cut off
    r"|-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|\Z)"
    # headers
    r"|(?i:bearer)\s+[^\s\"',]+"
    r"|(?P<head>(?<![\w-])(?i:(?:proxy-)?authorization|x-[\w-]{0,40}?(?:token|key|auth)[\w-]{0,40})\s*:\s*)[^\r\n]+"
    # SQL
    r"|(?P<sql>(?i:password)\s+)'(?:[^']|'')*'"
    # base64 of either alphabet: a long run with both cases
    rf"|(?<!{_RUN})(?=[A-Z0-9+/_-]*[a-z])(?=[a-z0-9+/_-]*[A-Z]){_RUN}{{{LONG},}}={{0,2}}"
)
# `key=value`, `'key': 'value'`, also inside a text that is JSON within JSON.
_INLINE = (
    r"(?P<key>[\w.-]{1,64})(?P<between>\\*[\"']\s*:\s*\\*|\s*=\s*)"
    r"(?P<value>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s,;&\"'(){}\[\]]+)"
)


class Redactor:
    """Replaces values by key and by shape in anything that a log line may hold. `extra_keys` are parts of names too."""

    def __init__(self, extra_keys: Iterable[str] = ()) -> None:
        self._parts = (*SECRET_KEYS, *(part for part in map(_flat, extra_keys) if part))

    def clean(self, value: Any, *, _seen: tuple[int, ...] = ()) -> Any:
        """A copy fit for JSON: redacted, cut at a depth, circles marked, unknown objects as their type's name."""
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if id(value) in _seen:
            return "[circular]"
        return self._deeper(value, (*_seen, id(value))) if len(_seen) < DEEPEST else "[deep]"

    def _deeper(self, value: Any, seen: tuple[int, ...]) -> Any:
        if isinstance(value, Mapping):
            return {self._name(k): REDACTED if self._hides(k) else self.clean(v, _seen=seen) for k, v in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.clean(item, _seen=seen) for item in value]
        return f"<{type(value).__name__}>"

    def text(self, text: str) -> str:
        """The text without what looks like a credential."""
        return re.sub(_INLINE, self._inline, re.sub(_SHAPES, _shape, text))

    def _inline(self, found: re.Match[str]) -> str:
        return found["key"] + found["between"] + REDACTED if self._hides(found["key"]) else found[0]

    def _name(self, key: object) -> str:
        # an object's own text could be anything, and could fail
        return self.text(str(key)) if key is None or isinstance(key, str | int | float) else f"<{type(key).__name__}>"

    def _hides(self, key: object) -> bool:
        flat = _flat(key.decode(errors="replace") if isinstance(key, bytes) else key if isinstance(key, str) else "")
        return flat not in PLAIN_KEYS and any(part in flat for part in self._parts)


def _shape(found: re.Match[str]) -> str:
    if found["kept"]:
        return found[0]
    return (found["head"] or found["sql"] or "") + REDACTED


def _flat(key: str) -> str:
    return "".join(character for character in key.casefold() if character.isalnum())
