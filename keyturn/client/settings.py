"""What a stack publishes for its consumers: its name, the keys that sign its events, and where they are heard.

The JSON is an output of the stack; nothing in it is secret. Not here: logins, which are the consumer's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from keyturn.client.errors import ClientError


@dataclass(frozen=True, kw_only=True)
class Settings:
    """keys: key id to public key in PEM. redis: `host:port`, "" where a stack has none. queue_url: of SQS."""

    stack: str
    keys: Mapping[str, str]
    redis: str = ""
    queue_url: str = ""
    rq_queue: str = ""

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """Of the output's text. ClientError `bad_settings`."""
        try:
            told = json.loads(text)
            keys = {key["key_id"]: key["public_key_pem"] for key in told["keys"]}
            named = {name: str(told.get(name, "")) for name in ("redis", "queue_url", "rq_queue")}
            return cls(stack=told["stack"], keys=keys, **named)
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise ClientError("bad_settings", f"not what a stack publishes ({type(exc).__name__})") from exc
