"""Asking a server of the sandbox over HTTP whether it is there: one call, no retries, no proxy of the environment."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from sandbox.ports import LOOPBACK

# loopback answers in milliseconds; a machine under load may take long to schedule a server
CALL_SECONDS = 5.0


def ask(
    port: int, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """One request with a JSON body; status and the JSON object of the answer (empty when it has none).

    Raises:
        OSError: nobody listens, or the answer did not come in time.
        ValueError: the answer is no JSON object.
    """
    with closing(http.client.HTTPConnection(LOOPBACK, port, timeout=CALL_SECONDS)) as connection:
        payload = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, payload, {**(headers or {})})
            answer = connection.getresponse()
            content = answer.read()
        except http.client.HTTPException as exc:
            raise OSError(f"no HTTP answer on port {port}") from exc
    found = json.loads(content or b"{}")
    if not isinstance(found, dict):
        raise ValueError("the answer is no JSON object")
    return answer.status, found


def bearer(token: str) -> dict[str, str]:
    """Header that shows `token`."""
    return {"Authorization": f"Bearer {token}"}
