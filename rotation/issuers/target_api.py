"""A target whose API keeps credentials in places with a generation: the authority's calls, and what statuses mean.

A place is a slot of an account or a key id. PUT fills it, DELETE empties it, both with the run's epoch; the target
answers 409 to an older one, and keeps the epoch of an emptied place, so that late calls of a dead run stay without
effect. The list of places shows generation and fingerprint, never a secret.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from rotation.calls import Caller, Kind
from rotation.contract import Fence, Probe, Verdict
from rotation.errors import Conflict, Denied, Fenced, KeyturnError, Refused, Throttled, Unavailable
from rotation.issuers.facts import read_fields
from rotation.issuers.http import Answer, JsonClient, TooLarge
from rotation.value import SecretValue

# The target's words for 'a newer epoch was here' and 'this epoch left something else here', say by emptying it.
_STALE = frozenset({"stale_generation", "generation_used"})
# Its word for 'two are in use already': a rotation inside the window of another, which only `force` would end.
_WINDOW_OPEN = "rotation_open"


class Unexpected(Exception):
    """An answer that is not the one asked for; shows its status alone."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"status {answer.status}")
        self.answer = answer


class TargetApi:
    """Calls of one target. `authority` gives a credential with the field `token`, read once and when needed."""

    def __init__(self, client: JsonClient, authority: Callable[[], SecretValue], caller: Caller) -> None:
        self._client = client
        self._authority = authority
        self._caller = caller

    def fill(self, path: str, body: Mapping[str, Any], fence: Fence) -> None:
        """PUT: the place holds `body` from this epoch on."""
        self._command("PUT", path, {**body, "generation": fence.epoch})

    def empty(self, path: str, fence: Fence) -> None:
        """DELETE: the place holds nothing from this epoch on; an empty one is success."""
        self._command("DELETE", f"{path}?generation={fence.epoch}")

    def place(self, path: str, name: str) -> Mapping[str, Any]:
        """`{"fingerprint", "generation"}` of one place in the list at `path`; empty when it was never filled."""
        found = self._command("GET", path).body.get(name)
        return found if isinstance(found, dict) else {}

    def read(self, path: str) -> tuple[Mapping[str, Any], str]:
        """A document and its ETag."""
        answer = self._command("GET", path)
        return answer.body, answer.etag

    def replace(self, path: str, body: Mapping[str, Any], etag: str) -> bool:
        """PUT a document where it still has this ETag; False when somebody else has changed it, or this very call."""
        lost = HTTPStatus.PRECONDITION_FAILED
        return self._command("PUT", path, body, {"If-Match": etag}, also=lost).status != lost

    def show(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        bearer: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Show a credential: 200 and 401 are answers, the rest is an error."""

        def attempt() -> Answer:
            answer = self._client.ask(method, path, body, bearer, headers)
            if answer.status in (HTTPStatus.OK, HTTPStatus.UNAUTHORIZED):
                return answer
            raise Unexpected(answer)

        return self._caller.call(Kind.TARGET, attempt)

    def _command(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        also: HTTPStatus = HTTPStatus.OK,
    ) -> Answer:
        token = self._token

        def attempt() -> Answer:
            answer = self._client.ask(method, path, body, token, headers)
            if answer.status in (HTTPStatus.OK, also):
                return answer
            raise Unexpected(answer)

        return self._caller.call(Kind.AUTHORITY, attempt)

    @cached_property
    def _token(self) -> str:
        return read_fields(self._authority(), "token")["token"]


def holds(place: Mapping[str, Any], fence: Fence) -> Probe:
    """The answer to `check`: ACCEPTED when the place is filled by this epoch, else REFUSED `not_held`."""
    if place.get("fingerprint") and place.get("generation") == fence.epoch:
        return Probe(verdict=Verdict.ACCEPTED)
    return not_held()


def not_held() -> Probe:
    """The answer to a check when there is something else, or nothing."""
    return Probe(verdict=Verdict.REFUSED, code="not_held", detail="the target does not hold what this run applied")


def unproven(exc: KeyturnError) -> Probe:
    """The answer to a probe or check that got none."""
    return Probe(verdict=Verdict.UNPROVEN, code=exc.reason, detail=exc.message)


def segment(name: str) -> str:
    """A name as one segment of a path, whatever it holds."""
    return quote(name, safe="")


def stale() -> Fenced:
    """A newer run owns the place, or this run gave it up before."""
    return Fenced(
        "stale_generation",
        "a newer run than this one has changed the credential at the target",
        "nothing to do: this run is over; `keyturn status` shows the newer one",
    )


def translate(exc: Exception) -> KeyturnError | None:
    """The translation table of the HTTP client; None for what it did not raise."""
    if isinstance(exc, Unexpected):
        return _of_status(exc.answer)
    if isinstance(exc, ssl.SSLCertVerificationError):
        return Refused(
            "target_untrusted",
            "the target could not prove who it is",
            "check the host and the authority that signed its certificate (fact `ca_file`)",
        )
    if isinstance(exc, TooLarge):
        return Refused("target_refused", "the target's answer is too large", "check the address of the target")
    if isinstance(exc, (OSError, http.client.HTTPException)):
        return Unavailable(
            "target_unreachable",
            f"the target did not answer ({type(exc).__name__})",
            "check the host, the port and the way there",
        )
    return None


def _of_status(answer: Answer) -> KeyturnError:
    status = answer.status
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Denied(
            "target_denied", f"the target refused the authority ({status})", "check its credential and rights"
        )
    if status == HTTPStatus.CONFLICT:
        return _of_conflict(answer.error)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled("target_busy", "the target asked to slow down", retry_after_s=answer.retry_after_s)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable("target_unavailable", f"the target cannot answer now ({status})")
    # redirects are among them: following one could take a credential elsewhere
    return Refused("target_refused", f"the target refused the request ({status})", "check the address of the target")


def _of_conflict(error: str) -> KeyturnError:
    if error in _STALE:
        return stale()
    if error == _WINDOW_OPEN:
        return Conflict(
            "target_rotation_open",
            "the target is inside the window of another rotation: it accepts two credentials already",
            "end the overlap of the one before; if there is none, look who else changes the target",
        )
    return Conflict("target_conflict", "the target has no room for another credential", "look at what it holds")
