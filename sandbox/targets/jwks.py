"""Key sets as documents: whoever may publish changes one whole and under compare-and-set, verifiers fetch the keys.

    GET  /sets/{set}                            the document, with its ETag           authority
    PUT  /sets/{set}   If-Match: etag           replaces it; 412 when it has moved    authority
    GET  /sets/{set}/.well-known/jwks.json      {"keys": [...]}                       everybody
    POST /sets/{set}/verify   {"token": ...}    200 {"kid"}, 401 {"error"}, 400       everybody

A set that was never written is an empty document. Beside `keys` a document may hold what its publishers like, and keeps
it; it is not published. Nothing here knows generations: a fence is the publishers' own affair, in the document. What is
refused: a key that is none, or private, or without an id, an id that is there twice, more keys than `MOST_KEYS`.
Tokens are verified for the set's own issuer and audience: `iss` is its name, `aud` its name and `-api`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from sandbox.targets.command import run
from sandbox.targets.jwk import public_key
from sandbox.targets.signed_token import Malformed, PublicKey, Rejected, verify_by
from sandbox.targets.web import Call, Refusal, Route

# two in rotation, and as many of other publishers as a document of 16 KiB holds
MOST_KEYS = 16
EMPTY: dict[str, Any] = {"keys": []}


class KeySets:
    """The documents with their revisions, kept in `snapshot` over a restart."""

    def __init__(self, snapshot: Path) -> None:
        self._snapshot = snapshot
        self._lock = threading.Lock()
        # name -> [revision, document]
        self._sets: dict[str, list[Any]] = {}
        if snapshot.exists():
            self._sets = json.loads(snapshot.read_text(encoding="utf-8"))

    def document(self, name: str) -> dict[str, Any]:
        """One document as it is."""
        with self._lock:
            found: dict[str, Any] = self._sets.get(name, [0, EMPTY])[1]
            return found

    def show(self, call: Call) -> dict[str, Any]:
        """The whole document."""
        with self._lock:
            revision, document = self._sets.get(call.names["set"], [0, EMPTY])
        call.answered["ETag"] = _etag(revision)
        return dict(document)

    def replace(self, call: Call) -> dict[str, Any]:
        """Change the document where it has not moved."""
        if "if-match" not in call.headers:
            raise Refusal(HTTPStatus.PRECONDITION_REQUIRED, "no_precondition")
        _check(call.body)
        with self._lock:
            revision = self._sets.get(call.names["set"], [0, EMPTY])[0]
            if call.headers["if-match"] != _etag(revision):
                raise Refusal(HTTPStatus.PRECONDITION_FAILED, "moved")
            self._keep({**self._sets, call.names["set"]: [revision + 1, call.body]})
        call.answered["ETag"] = _etag(revision + 1)
        return {"keys": len(call.body["keys"])}

    def published(self, call: Call) -> dict[str, Any]:
        """The keys, for everybody."""
        return {"keys": self.document(call.names["set"])["keys"]}

    def verify(self, call: Call) -> dict[str, Any]:
        """Say whether a token is accepted, and by which key of the set."""
        token, name = call.body.get("token"), call.names["set"]
        if not isinstance(token, str):
            raise Refusal(HTTPStatus.BAD_REQUEST, "malformed_token")
        try:
            expected = {"iss": name, "aud": f"{name}-api"}
            return {"kid": verify_by(token, lambda kid: self._key(name, kid), expected, time.time())["kid"]}
        except Malformed:
            raise Refusal(HTTPStatus.BAD_REQUEST, "malformed_token") from None
        except Rejected as exc:
            raise Refusal(HTTPStatus.UNAUTHORIZED, exc.reason) from None

    def _key(self, name: str, kid: str) -> PublicKey | None:
        found = [key for key in self.document(name)["keys"] if key["kid"] == kid]
        return public_key(found[0]) if found else None

    def _keep(self, sets: dict[str, list[Any]]) -> None:
        """Write everything down, whole; called under the lock."""
        partial = self._snapshot.with_suffix(".partial")
        partial.write_text(json.dumps(sets), encoding="utf-8")
        partial.replace(self._snapshot)
        self._sets = sets


def _etag(revision: int) -> str:
    # counts, so that a document that is as it was before is not taken for that one
    return f'"{revision}"'


def _check(document: dict[str, Any]) -> None:
    keys = document.get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, dict) and isinstance(key.get("kid"), str) for key in keys):
        raise Refusal(HTTPStatus.BAD_REQUEST, "malformed_document")
    if len({key["kid"] for key in keys}) != len(keys) or len(keys) > MOST_KEYS:
        raise Refusal(HTTPStatus.CONFLICT, "too_many_keys")
    try:
        for key in keys:
            public_key(key)
    except Malformed:
        raise Refusal(HTTPStatus.BAD_REQUEST, "malformed_key") from None


def routes(snapshot: Path) -> Sequence[Route]:
    """What the service answers; its state is kept in `snapshot`."""
    service = KeySets(snapshot)
    document = "/sets/{set}"
    return (
        Route("GET", document, service.show),
        Route("PUT", document, service.replace),
        Route("GET", f"{document}/.well-known/jwks.json", service.published, authority=False),
        Route("POST", f"{document}/verify", service.verify, authority=False),
    )


if __name__ == "__main__":
    raise SystemExit(run("jwks", routes))
