"""JSON logs of the functions: one object per line, run id and request id in each, LOG_LEVEL, redacted.

LOG_LEVEL is that of our own logger. Every other one stays at WARNING or above whatever LOG_LEVEL says, also one that
nobody has thought of: at DEBUG, SDKs print request and response bodies, values included. What is hidden in a line is
`redaction`'s question.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from typing import Any

from rotation.redaction import Redactor

LOGGER = "keyturn"
# Loggers that might carry a level of their own.
_VENDORS = ("botocore", "boto3", "urllib3", "s3transfer", "hvac", "google", "grpc", "requests", "pg8000")
# In every line, empty while unknown, so that a query for them never misses one.
_ALWAYS = {"run_id": "", "request_id": ""}


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, message, the bound context, `extra={"fields": {...}}`, exception.

    A field cannot take the name of something that every line has.
    """

    def __init__(self, redactor: Redactor, bound: dict[str, str]) -> None:
        super().__init__()
        self._redactor = redactor
        self._bound = bound

    def format(self, record: logging.LogRecord) -> str:
        """The line. Never raises: logging's own report of an error would print the arguments as they are."""
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            **_ALWAYS,
            **self._bound,
        }
        try:
            return self._json({**line, **self._told(record), **line})
        except Exception as exc:  # noqa: BLE001 - whatever an object of a log line does, the line has to come
            return self._json({**line, "message": f"[a line that could not be written: {type(exc).__name__}]"})

    def _told(self, record: logging.LogRecord) -> dict[str, Any]:
        told: dict[str, Any] = {**getattr(record, "fields", {}), "message": record.getMessage()}
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return told

    def _json(self, line: dict[str, Any]) -> str:
        return json.dumps(self._redactor.clean(line), separators=(",", ":"))


def configure(level: str, extra_keys: Iterable[str], bound: dict[str, str]) -> None:
    """Make the root logger write JSON to standard error; `bound` may be changed per invocation and is in every line.

    A level that does not exist is INFO.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(Redactor(extra_keys), bound))
    levels = logging.getLevelNamesMapping()
    ours = levels.get(level.strip().upper(), logging.INFO)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    logging.getLogger(LOGGER).setLevel(ours)
    for name in (None, *_VENDORS):
        vendor = logging.getLogger(name)
        vendor.setLevel(max(ours, logging.WARNING))
        # google.api_core takes its own out of the hierarchy when it is imported: its warnings would be lost
        vendor.propagate = True
