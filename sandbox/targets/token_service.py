"""A partner's API whose accounts have two slots for a bearer token: old and new are both accepted while both are set.

    PUT    /accounts/{account}/slots/{slot}   {"sha256": hex, "generation": n}   authority
    DELETE /accounts/{account}/slots/{slot}?generation=n                         authority
    GET    /accounts/{account}/slots          slot -> {fingerprint, generation}  authority
    GET    /accounts/{account}/whoami         {slot, generation} or 401          the partner's own token

It is given hashes and keeps hashes, so no token is ever in its memory longer than a request, its snapshot or its
log. Generations are the fence: 409 `stale_generation` below what a slot has seen, 409 `generation_used` for another
hash (or a hash after its removal) under the same one. An emptied slot shows an empty fingerprint.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from sandbox.targets.command import run
from sandbox.targets.fenced import FencedPlaces
from sandbox.targets.web import Call, Refusal, Route, same

SLOTS_PER_ACCOUNT = 2
# tells two tokens apart, of no use to guess one of 128 bits or more
FINGERPRINT_CHARACTERS = 16
SHA256_HEX = r"[0-9a-f]{64}"


class TokenService:
    """The accounts and what may be done with them."""

    def __init__(self, snapshot: Path) -> None:
        self._slots = FencedPlaces(snapshot, SLOTS_PER_ACCOUNT)

    def put(self, call: Call) -> dict[str, Any]:
        """Let a token be accepted in a slot, by its hash."""
        digest = call.body.get("sha256")
        if not isinstance(digest, str) or not re.fullmatch(SHA256_HEX, digest):
            raise Refusal(HTTPStatus.BAD_REQUEST, "malformed_sha256")
        generation = call.generation(call.body)
        self._slots.put(call.names["account"], call.names["slot"], digest, generation)
        return {"slot": call.names["slot"], "generation": generation}

    def delete(self, call: Call) -> dict[str, Any]:
        """Accept the slot's token no more."""
        generation = call.generation(dict(call.query))
        removed = self._slots.empty(call.names["account"], call.names["slot"], generation)
        return {"slot": call.names["slot"], "generation": generation, "removed": removed}

    def show(self, call: Call) -> dict[str, Any]:
        """What each slot holds, without the token and without its whole hash."""
        return {
            name: {"fingerprint": slot.content[:FINGERPRINT_CHARACTERS], "generation": slot.generation}
            for name, slot in self._slots.of(call.names["account"]).items()
        }

    def whoami(self, call: Call) -> dict[str, Any]:
        """Which slot the caller's own token is in; every slot is compared, whichever matches."""
        shown = hashlib.sha256(call.bearer.encode()).hexdigest()
        slots = self._slots.of(call.names["account"])
        matches = [name for name, slot in slots.items() if same(slot.content, shown)]
        if not call.bearer or not matches:
            raise Refusal(HTTPStatus.UNAUTHORIZED, "unknown_token")
        return {"slot": matches[0], "generation": slots[matches[0]].generation}


def routes(snapshot: Path) -> Sequence[Route]:
    """What the service answers; its state is kept in `snapshot`."""
    service = TokenService(snapshot)
    slot = "/accounts/{account}/slots/{slot}"
    return (
        Route("PUT", slot, service.put),
        Route("DELETE", slot, service.delete),
        Route("GET", "/accounts/{account}/slots", service.show),
        Route("GET", "/accounts/{account}/whoami", service.whoami, authority=False),
    )


if __name__ == "__main__":
    raise SystemExit(run("token_service", routes))
