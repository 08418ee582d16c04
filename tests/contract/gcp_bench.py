"""A Google server in this process for the store contract, and what somebody else does to its secrets."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from google.api_core.exceptions import NotFound
from google.cloud.secretmanager_v1 import SecretManagerServiceClient
from store_bench import FaultyCaller

from rotation.contract import SecretRef
from rotation.stores import gcp_client
from rotation.stores.gcp import ALIAS, GcpStore
from rotation.stores.gcp_api import Api
from rotation.value import SecretValue
from sandbox.google.server import GoogleServer

PARENT = "projects/keyturn-local"
# what others keep on the secret
LABELS = {"team": "analytics"}
ANNOTATIONS = {"owner": "somebody else"}


class GcpBench:
    """One server; `raw` is somebody else's client."""

    absent = SecretRef(store="gcp", path=f"{PARENT}/secrets/absent")

    def __init__(self, server: GoogleServer, raw: SecretManagerServiceClient) -> None:
        self.caller = FaultyCaller("gcp", gcp_client.translate)
        self.server = server
        self.switches = server.switches
        self.raw = raw
        self._numbers = itertools.count(1)

    def store(self) -> GcpStore:
        return GcpStore(Api(self.raw, self.caller))

    def new_secret(self, **more: Any) -> SecretRef:
        secret = {"replication": {"automatic": {}}, "labels": LABELS, "annotations": ANNOTATIONS, **more}
        request = {"parent": PARENT, "secret_id": f"signing-key-{next(self._numbers)}", "secret": secret}
        return SecretRef(store="gcp", path=self.raw.create_secret(request=request).name)

    def shell(self, ref: SecretRef) -> Any:
        """The secret as somebody else sees it."""
        return self.raw.get_secret(request={"name": ref.path})

    def set_maps(self, ref: SecretRef, **maps: Any) -> None:
        """Somebody replaces whole maps (`version_aliases`, `annotations`, `labels`)."""
        self.raw.update_secret(request={"secret": {"name": ref.path, **maps}, "update_mask": {"paths": list(maps)}})

    def somebody_writes(self, ref: SecretRef, value: SecretValue) -> None:
        payload = {"data": value.unsafe_reveal().encode()}
        added = self.raw.add_secret_version(request={"parent": ref.path, "payload": payload})
        aliases = {**self.shell(ref).version_aliases, ALIAS: int(added.name.rpartition("/")[2])}
        self.set_maps(ref, version_aliases=aliases)

    def readers_get(self, ref: SecretRef) -> SecretValue | None:
        try:
            answer = self.raw.access_secret_version(request={"name": f"{ref.path}/versions/{ALIAS}"})
        except NotFound:
            return None
        return SecretValue(answer.payload.data.decode())

    def versions_made(self, ref: SecretRef) -> int:
        return len(list(self.raw.list_secret_versions(request={"parent": ref.path})))


@contextmanager
def google() -> Iterator[GcpBench]:
    """A bench on a server of its own until the block ends."""
    server = GoogleServer()
    raw = gcp_client.plaintext_client(f"127.0.0.1:{server.start()}")
    try:
        yield GcpBench(server, raw)
    finally:
        raw.transport.close()
        server.stop()
