"""JSON logs of the functions: run id, request id, LOG_LEVEL, redaction by key and by shape, circular values survived.

Redaction is the last of several fences (values are `SecretValue`, events carry references): it exists for what a vendor
or a mistake puts in a message. Vendor loggers stay at WARNING whatever LOG_LEVEL says.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

REDACTED = "[redacted]"
# Keys whose values never appear, as parts of a key's name; PII_KEYS of the environment adds to them.
SECRET_KEYS = (
    "password",
    "passwd",
    "secret_string",
    "secretstring",
    "token",
    "api_key",
    "apikey",
    "auth",
    "bearer",
    "credential",
    "private_key",
    "secret_value",
)
# Exactly these keys are names of secrets or public parts, not secrets.
PLAIN_KEYS = frozenset({"secret", "secret_name", "secret_id", "authority", "author", "token_type", "pending_token"})
# A JSON web token, a long run of base64 (40 characters hold 30 bytes), a PEM block, a bearer header.
_SHAPES = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----|(?i:bearer)\s+\S+"
    r"|(?<![\w/+:.-])(?=[\w+/-]*[A-Z])(?=[\w+/-]*[a-z])(?=[\w+/-]*\d)[A-Za-z0-9+/_-]{40,}={0,2}(?![\w:.-])"
)
# Deeper structures are cut: a log line is for reading.
_DEPTH = 8
_VENDORS = ("botocore", "boto3", "urllib3", "s3transfer", "hvac", "google", "grpc", "requests")


class Redactor:
    """Replaces values by key and by shape in anything that a log line may hold."""

    def __init__(self, extra_keys: Iterable[str] = ()) -> None:
        self._keys = (*SECRET_KEYS, *(k.strip().lower() for k in extra_keys if k.strip()))

    def clean(self, value: Any, *, _seen: tuple[int, ...] = ()) -> Any:
        """A copy fit for JSON: redacted, cut at a depth, circles marked, unknown objects as their type's name."""
        if isinstance(value, str):
            return _SHAPES.sub(REDACTED, value)
        if value is None or isinstance(value, bool | int | float):
            return value
        if id(value) in _seen or len(_seen) >= _DEPTH:
            return "[circular]" if id(value) in _seen else "[deep]"
        inner = (*_seen, id(value))
        if isinstance(value, Mapping):
            return {str(k): REDACTED if self._hides(str(k)) else self.clean(v, _seen=inner) for k, v in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.clean(item, _seen=inner) for item in value]
        return f"<{type(value).__name__}>"

    def _hides(self, key: str) -> bool:
        flat = key.lower().replace("-", "_")
        return flat not in PLAIN_KEYS and any(hidden in flat for hidden in self._keys)


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, message, the bound context, `extra={"fields": {...}}`, exception."""

    def __init__(self, redactor: Redactor, bound: dict[str, str]) -> None:
        super().__init__()
        self._redactor = redactor
        self._bound = bound

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **self._bound,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(self._redactor.clean(line), separators=(",", ":"))


def configure(level: str, extra_keys: Iterable[str], bound: dict[str, str]) -> None:
    """Make the root logger write JSON to standard error; `bound` may be changed per invocation and is in every line."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(Redactor(extra_keys), bound))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level if level in logging.getLevelNamesMapping() else "INFO")
    for vendor in _VENDORS:
        logging.getLogger(vendor).setLevel(logging.WARNING)
