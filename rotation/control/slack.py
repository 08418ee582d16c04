"""What people are told of a run that waits for them, and Slack's incoming webhook as one place to tell it.

The webhook's URL is itself a secret: whoever has it can write there. It is fetched when there is something to say, sent
to Slack's own host only, and never part of an error. A message that does not arrive holds up nothing: the request is in
the ledger, and `keyturn approvals` shows it. Posting is not idempotent: it is tried again (`rotation.calls`) only where
Slack was not reached or says that it took nothing. Source: Slack's documentation, "Sending messages using incoming
webhooks", "Rate limits" and "Formatting text for app surfaces".
"""

from __future__ import annotations

import http.client
import json
import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from urllib.parse import urlsplit

from rotation.calls import Caller, Kind
from rotation.errors import KeyturnError, Refused, Throttled, Unavailable
from rotation.ledger.approvals import Approved, Request
from rotation.value import SecretValue

# Where incoming webhooks live.
HOST = "hooks.slack.com"
# The sandbox's receiver; only where a stack says that it is local.
_LOOPBACK = "127.0.0.1"
# One attempt: three of them, and of the fetch of the address, with their pauses fit a function's minute.
TIMEOUT_S = 2
_OK, _TOO_MANY, _SERVER_FAULT = 200, 429, 500
# Enough of a digest to tell it from its neighbours.
_SHORT = 12
# A reason of any length would push the commands out of sight.
_LONGEST_REASON = 300
# So would a policy that is another one altogether.
_MOST_CHANGES = 8
_LOG = logging.getLogger("keyturn")


class NotReachedError(Unavailable):
    """Nothing was sent."""


def message(request: Request, before: Approved | None, stack: str, changed: Sequence[str] = ()) -> str:
    """Who asks for what, why, until when, what has changed in the policy, and the commands that answer. No token.

    changed: since the policy `before`, a line each.
    """
    at = "" if stack == "local" else f" --stack {stack}"
    last = f"`{before.digest[:_SHORT]}`, approved by {plain(before.by)}" if before else "none was ever approved"
    same = " (the same)" if before and before.digest == request.digest else ""
    return "\n".join(
        [
            f"*{plain(request.secret)}* on `{stack}` waits for approval until {request.expires_at}",
            asked_by(request),
            f"may agree: {plain(', '.join(request.approvers))}",
            f"policy `{request.digest[:_SHORT]}`; last: {last}{same}",
            *(f"• {plain(line)}" for line in changed[:_MOST_CHANGES]),
            *([f"• and {len(changed) - _MOST_CHANGES} more"] if len(changed) > _MOST_CHANGES else []),
            f"what has changed: `keyturn approvals{at}`",
            f"yes: `keyturn approvals approve {request.run_id} --reason WHY{at}`",
            f"no: `keyturn approvals deny {request.run_id} --reason WHY{at}`",
        ]
    )


def asked_by(request: Request) -> str:
    """Who wants it, and why: of a leak, what happened."""
    return f"asked by {plain(request.requested_by)}: {plain(request.reason[:_LONGEST_REASON])}"


def plain(text: str) -> str:
    """Text that Slack shows as it is: no link, no mention of everybody, no line of its own."""
    marked = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return " ".join(marked.replace("`", "'").split())


def translate(exc: Exception) -> KeyturnError | None:
    """Everything that Slack's answers mean is told apart here already; the rest is a defect of this program."""
    del exc
    return None


class SlackWebhook:
    """`url` fetches the webhook's URL; `local` also allows a receiver on this machine, without TLS."""

    channel = "slack"

    def __init__(self, url: Callable[[], SecretValue], caller: Caller, *, local: bool = False) -> None:
        self._url = url
        self._caller = caller
        self._local = local

    def say(self, text: str) -> bool:
        """POST `{"text": ...}`; once it was taken, or may have been, never again."""
        try:
            connection, path = self._connection(self._url())
            again = (NotReachedError, Throttled)
            self._caller.call(Kind.PUBLISH, lambda: _posted(connection, path, text), idempotent=False, also_retry=again)
        except KeyturnError as exc:
            fields = {"channel": self.channel, "reason": exc.reason, "said": exc.message}
            _LOG.error("a message was not delivered", extra={"fields": fields})
            return False
        return True

    def _connection(self, url: SecretValue) -> tuple[http.client.HTTPConnection, str]:
        """Refused `bad_webhook` for any other host; a redirect is not followed, so the host is the one checked."""
        try:
            parts = urlsplit(url.unsafe_reveal().strip())
            if parts.scheme == "https" and parts.netloc == HOST:
                return http.client.HTTPSConnection(HOST, timeout=TIMEOUT_S), parts.path
            if self._local and parts.scheme == "http" and parts.hostname == _LOOPBACK:
                return http.client.HTTPConnection(_LOOPBACK, parts.port, timeout=TIMEOUT_S), parts.path
        except ValueError:
            # its text quotes the address
            pass
        raise Refused("bad_webhook", f"the stack's Slack secret is no address on {HOST}", "put the webhook's URL there")


def _posted(connection: http.client.HTTPConnection, path: str, text: str) -> None:
    """One attempt. Names kinds of errors only: their texts may quote the URL."""
    try:
        connection.connect()
    except OSError as exc:
        raise NotReachedError("slack_unreachable", f"Slack was not reached ({type(exc).__name__})") from None
    try:
        connection.request("POST", path, json.dumps({"text": text}), {"Content-Type": "application/json"})
        # an answer that ends its connection owns the socket
        with closing(connection.getresponse()) as answer:
            status, pause = answer.status, answer.getheader("Retry-After", "")
    except (OSError, http.client.HTTPException) as exc:
        raise Unavailable("slack_unanswered", f"Slack did not answer ({type(exc).__name__})") from None
    finally:
        connection.close()
    if status == _TOO_MANY:
        raise Throttled("slack_throttled", "Slack asks to slow down", retry_after_s=_seconds(pause))
    if status != _OK:
        said = f"Slack answered HTTP {status}"
        raise Unavailable("slack_failed", said) if status >= _SERVER_FAULT else Refused("slack_refused", said)


def _seconds(text: str) -> float | None:
    return float(text) if text.isdecimal() else None
