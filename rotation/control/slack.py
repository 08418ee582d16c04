"""What people are told of a run that waits for them, and Slack's incoming webhook as one place to tell it.

The webhook's URL is itself a secret: whoever has it can write there. It is fetched when there is something to say, sent
to Slack's own host only, and never part of an error. A message that does not arrive holds up nothing: the request is in
the ledger, and `keyturn approvals` shows it. Source: Slack's documentation, "Sending messages using incoming webhooks"
and "Formatting text for app surfaces".
"""

from __future__ import annotations

import http.client
import json
import logging
from collections.abc import Callable
from urllib.parse import urlsplit

from rotation.errors import KeyturnError
from rotation.ledger.approvals import Approved, Request

# Where incoming webhooks live.
HOST = "hooks.slack.com"
# The sandbox's receiver; only where a stack says that it is local.
_LOOPBACK = "127.0.0.1"
# One attempt within this: the run's phase waits for it, and has a minute for all that it does.
TIMEOUT_S = 2.0
_OK = 200
# Enough of a digest to tell it from its neighbours.
_SHORT = 12
# A reason of any length would push the commands out of sight.
_LONGEST_REASON = 300
_LOG = logging.getLogger("keyturn")


def message(request: Request, before: Approved | None, stack: str) -> str:
    """Who asks for what, why, until when, and the commands that show what has changed and answer. No token."""
    at = "" if stack == "local" else f" --stack {stack}"
    last = f"`{before.digest[:_SHORT]}`, approved by {plain(before.by)}" if before else "none was ever approved"
    same = " (the same)" if before and before.digest == request.digest else ""
    return "\n".join(
        [
            f"*{plain(request.secret)}* on `{stack}` waits for approval until {request.expires_at}",
            f"asked by {plain(request.requested_by)}: {plain(request.reason[:_LONGEST_REASON])}",
            f"may agree: {plain(', '.join(request.approvers))}",
            f"policy `{request.digest[:_SHORT]}`; last: {last}{same}",
            f"what has changed: `keyturn approvals{at}`",
            f"yes: `keyturn approvals approve {request.run_id} --reason WHY{at}`",
            f"no: `keyturn approvals deny {request.run_id} --reason WHY{at}`",
        ]
    )


def plain(text: str) -> str:
    """Text that Slack shows as it is: no link, no mention of everybody, no line of its own."""
    marked = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return " ".join(marked.replace("`", "'").split())


class SlackWebhook:
    """`url` fetches the webhook's URL; `local` also allows a receiver on this machine, without TLS."""

    def __init__(self, url: Callable[[], str], *, local: bool = False) -> None:
        self._url = url
        self._local = local

    def say(self, text: str) -> bool:
        """POST `{"text": ...}`, once."""
        why = self._told(text)
        if why:
            _LOG.error("a message was not delivered", extra={"fields": {"channel": "slack", "reason": why}})
        return not why

    def _told(self, text: str) -> str:
        """Why it was not taken; "" when it was. Names kinds of errors only: their texts may quote the URL."""
        try:
            connection, path = self._connection(self._url())
        except KeyturnError as exc:
            return exc.reason
        except ValueError:
            return "bad_webhook"
        try:
            body = json.dumps({"text": text})
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as exc:
            return type(exc).__name__
        finally:
            connection.close()
        return "" if status == _OK else f"http_{status}"

    def _connection(self, url: str) -> tuple[http.client.HTTPConnection, str]:
        """ValueError for any other host; a redirect is not followed, so the host is the one that was checked."""
        parts = urlsplit(url.strip())
        if parts.scheme == "https" and parts.netloc == HOST:
            return http.client.HTTPSConnection(HOST, timeout=TIMEOUT_S), parts.path
        if self._local and parts.scheme == "http" and parts.hostname == _LOOPBACK:
            return http.client.HTTPConnection(_LOOPBACK, parts.port, timeout=TIMEOUT_S), parts.path
        raise ValueError("host")
