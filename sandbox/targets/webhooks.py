"""A partner with webhook endpoints, as receiver and as sender: each endpoint has a list of at most two keys.

    PUT    /endpoints/{endpoint}/keys/{key}   {"key": "whsec_...", "generation": n}, `force`    authority
    DELETE /endpoints/{endpoint}/keys/{key}?generation=n                                        authority
    GET    /endpoints/{endpoint}/keys         key -> {fingerprint, generation}                  authority
    POST   /endpoints/{endpoint}/deliver      a webhook: 200 {"id", "duplicate"}, 401 {"error"} whoever signs
    POST   /endpoints/{endpoint}/test         {"challenge"}: a webhook as it would be sent      everybody

What it assumes of partners, none of which Standard Webhooks says:
- keys are managed through an API with names and generations; each list is one endpoint's, as the specification advises;
- a third key is 409 `rotation_open` while two are in the list: a rotation inside the window of another. With `force` it
  takes the place of the one that was put first;
- as receiver it tries every key of the list, and takes an id once within twice the tolerance: later ones are answered
  200 as `duplicate`, since a sender repeats what is not answered 2xx. Ids of refused requests are not remembered;
- as sender it signs with every key of the list. `test` answers what it would deliver, instead of calling an endpoint: a
  fixed type and the caller's challenge, so that nobody can have anything else signed;
- an event of the type `keyturn.probe` is verified, and nothing else is done with it.

Who verifies an HMAC keeps its key: the snapshot holds keys, in a directory that its owner alone may enter.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from sandbox.targets import webhook_wire as wire
from sandbox.targets.command import run
from sandbox.targets.fenced import FencedPlaces, Place, StaleGeneration
from sandbox.targets.web import Call, Refusal, Route

# old and new: who needs a third is in the middle of a rotation already
LIVE_KEYS = 2
# far above what rotates in a sandbox, so that a loop that only adds is noticed
MOST_KEYS = 10_000
FINGERPRINT_CHARACTERS = 16
CHALLENGE = r"[0-9a-f]{1,64}"
# a copy can arrive as long as its timestamp is in tolerance, which may be ahead as well as behind
REMEMBERED_SECONDS = 2 * wire.TOLERANCE_SECONDS


class Endpoints:
    """The lists of keys, and the ids that were taken. `clock`: epoch seconds."""

    def __init__(self, snapshot: Path, clock: Callable[[], float] = time.time) -> None:
        self._keys = FencedPlaces(snapshot, MOST_KEYS)
        self._clock = clock
        self._lock = threading.Lock()
        # (endpoint, id) -> when it was taken, oldest first
        self._taken: dict[tuple[str, str], float] = {}

    def put(self, call: Call) -> dict[str, Any]:
        """Put a key into the list."""
        wire.key_bytes(call.body.get("key"))
        generation = call.generation(call.body)
        endpoint, name = call.names["endpoint"], call.names["key"]
        with self._lock:
            live = self._live(endpoint)
            if name not in live and len(live) >= LIVE_KEYS:
                self._make_room(endpoint, live, generation, force=call.body.get("force") is True)
            self._keys.put(endpoint, name, call.body["key"], generation)
        return {"key": name, "generation": generation}

    def delete(self, call: Call) -> dict[str, Any]:
        """Take a key out of the list."""
        generation = call.generation(dict(call.query))
        removed = self._keys.empty(call.names["endpoint"], call.names["key"], generation)
        return {"key": call.names["key"], "generation": generation, "removed": removed}

    def show(self, call: Call) -> dict[str, Any]:
        """The keys' names, without the keys; one that was taken out has an empty fingerprint."""
        return {
            name: {"fingerprint": _fingerprint(place.content), "generation": place.generation}
            for name, place in self._keys.of(call.names["endpoint"]).items()
        }

    def deliver(self, call: Call) -> dict[str, Any]:
        """Take a webhook, once."""
        endpoint = call.names["endpoint"]
        keys = {name: wire.key_bytes(place.content) for name, place in self._live(endpoint).items()}
        identifier, key = wire.check(keys, call.headers, call.raw, self._clock())
        return {"id": identifier, "key": key, "duplicate": not self._takes(endpoint, identifier)}

    def test(self, call: Call) -> dict[str, Any]:
        """A webhook with the caller's challenge, signed with every key of the list."""
        challenge = call.body.get("challenge")
        if not isinstance(challenge, str) or not re.fullmatch(CHALLENGE, challenge):
            raise Refusal(HTTPStatus.BAD_REQUEST, "malformed_challenge")
        body = json.dumps({"type": "endpoint.test", "data": {"challenge": challenge}})
        identifier, timestamp = f"msg_{secrets.token_hex(8)}", str(int(self._clock()))
        keys = [wire.key_bytes(place.content) for place in self._live(call.names["endpoint"]).values()]
        entries = [wire.signature(key, identifier, timestamp, body.encode()) for key in keys]
        # who has no key signs nothing, and is told from one that forgot the header
        shown = " ".join(entries) or "none"
        headers = {"webhook-id": identifier, "webhook-timestamp": timestamp, "webhook-signature": shown}
        return {"headers": headers, "body": body}

    def _live(self, endpoint: str) -> dict[str, Place]:
        return {name: place for name, place in self._keys.of(endpoint).items() if place.content}

    def _make_room(self, endpoint: str, live: dict[str, Place], generation: int, *, force: bool) -> None:
        oldest = min(live, key=lambda name: live[name].generation)
        if not force:
            raise Refusal(HTTPStatus.CONFLICT, "rotation_open")
        if live[oldest].generation > generation:
            raise StaleGeneration
        self._keys.empty(endpoint, oldest, generation)

    def _takes(self, endpoint: str, identifier: str) -> bool:
        """Whether the id is new; it is not from now on."""
        now, known = self._clock(), (endpoint, identifier)
        with self._lock:
            while self._taken and now - next(iter(self._taken.values())) > REMEMBERED_SECONDS:
                del self._taken[next(iter(self._taken))]
            if known in self._taken:
                return False
            self._taken[known] = now
            return True


def routes(snapshot: Path) -> Sequence[Route]:
    """What the service answers; its state is kept in `snapshot`."""
    return routes_of(Endpoints(snapshot))


def routes_of(service: Endpoints) -> Sequence[Route]:
    """What `service` answers."""
    endpoint = "/endpoints/{endpoint}"
    return (
        Route("PUT", f"{endpoint}/keys/{{key}}", service.put),
        Route("DELETE", f"{endpoint}/keys/{{key}}", service.delete),
        Route("GET", f"{endpoint}/keys", service.show),
        Route("POST", f"{endpoint}/deliver", service.deliver, authority=False, parsed=False),
        Route("POST", f"{endpoint}/test", service.test, authority=False),
    )


def _fingerprint(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()[:FINGERPRINT_CHARACTERS] if content else ""


if __name__ == "__main__":
    raise SystemExit(run("webhooks", routes))
